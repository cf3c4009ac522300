"""`tamis demo --media`: a mixed set becomes searchable, and a question is answered from each medium."""

import base64
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from tamis.cli import media_samples, show
from tamis.cli.ingest import bars, extracted
from tamis.cli.media_samples import Sample
from tamis.cli.terminal import fail, out
from tamis.client import Client


@dataclass(frozen=True, slots=True)
class Question:
    """asked: for people.  query: as `feature_search` takes it.  expected: the sample that answers it."""

    extractor: str
    output: str
    asked: str
    query: dict[str, Any]
    expected: str


def run(client: Client) -> None:
    with tempfile.TemporaryDirectory(prefix="tamis-media-") as name:
        folder = Path(name)
        try:
            samples = media_samples.make(folder)
        except ImportError as error:
            fail(f"{error}: the media demo needs `pip install 'tamis[media]'`")
        catalogue = {one["feature_extractor_name"]: one for one in client.get("collections/features/extractors")}
        kinds = [
            kind for kind in dict.fromkeys(sample.extractor for sample in samples) if f"{kind}_extractor" in catalogue
        ]
        for kind in kinds:
            ours = [sample for sample in samples if sample.extractor == kind]
            _ingest(client, catalogue[f"{kind}_extractor"], kind, ours)
        last = _ask(client, [one for one in _questions(folder) if one.extractor in kinds])
    out.print(f"\n[bold]GET /v1/retrievers/executions/{last}[/]", highlight=False)
    record = client.get(f"retrievers/executions/{last}")
    # The example stands in the inputs, as it was sent; the summary names it by type and size.
    show.record({name: value for name, value in record.items() if name != "inputs"})


def _ingest(client: Client, extractor: dict[str, Any], kind: str, samples: list[Sample]) -> None:
    started = time.monotonic()
    schema = {"properties": {"file": {"type": kind}, "name": {"type": "string"}}}
    bucket = client.post("buckets", {"bucket_name": f"demo-{kind}", "bucket_schema": schema})["bucket_id"]
    (needed, *_) = extractor["input_schema"].get("required") or extractor["input_schema"]["properties"]
    body = {
        "collection_name": f"demo-{kind}",
        "source": {"type": "bucket", "bucket_ids": [bucket]},
        "feature_extractor": {
            "feature_extractor_name": extractor["feature_extractor_name"],
            "version": extractor["version"],
            "input_mappings": {needed: "file"},
            "field_passthrough": [{"source_path": "name"}],
        },
    }
    collection_id = client.post("collections", body)["collection_id"]
    objects = {"objects": [_object(sample, kind) for sample in samples]}
    ids = [one["object_id"] for one in client.post(f"buckets/{bucket}/objects/batch", objects)]
    with bars() as progress:
        done = extracted(client, bucket, collection_id, ids, progress, started)
    if done.status != "COMPLETED":
        fail(f"the files of {kind} were not all extracted: {done.error or done.status}")
    line = f"{extractor['feature_extractor_name']}: {done.objects} files, {done.documents} documents"
    out.print(f"{line} in {done.seconds:.1f} s", highlight=False)


def _object(sample: Sample, kind: str) -> dict[str, Any]:
    return {"name": sample.name, "blobs": [{"property": "file", "type": kind, "data": _data_uri(sample)}]}


def _data_uri(sample: Sample) -> str:
    return f"data:{sample.media_type};base64,{base64.b64encode(sample.file.read_bytes()).decode()}"


def _questions(folder: Path) -> Iterator[Question]:
    seen = Sample("", "image", media_samples.variant(folder / "visitors.png", folder / "variant.jpg"), "image/jpeg")
    yield Question("image", "color_gradient_descriptor", "a chart, cut, smaller and paler", _example(seen), "visitors")
    yield _worded("document", "How much does a tour cost?", "observatory")
    yield _worded("document", "Where do we play chess this winter?", "letter")
    if media_samples.has_voice():
        yield _worded("audio", "Why could nobody cross the river?", "bridge")
    heard = Sample("", "audio", media_samples.excerpt(folder / "orchard.wav", folder / "excerpt.wav"), "audio/wav")
    yield Question("audio", "sound_descriptor", "a recording without its beginning", _example(heard), "orchard")
    still = Sample("", "image", media_samples.still(1, folder / "still.png"), "image/png")
    yield Question("video", "multimodal_embedding", "a picture of a blue circle", _example(still), "shapes")


def _worded(extractor: str, text: str, expected: str) -> Question:
    return Question(extractor, "embedding", text, {"input_mode": "text", "value": text}, expected)


def _example(sample: Sample) -> dict[str, Any]:
    return {"input_mode": "content", "value": _data_uri(sample)}


def _ask(client: Client, questions: list[Question]) -> str:
    """A line for each; the id of the last execution."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("asked with", "feature", "found", "where", "score"):
        table.add_column(name)
    last = ""
    for question in questions:
        uri = f"mixpeek://{question.extractor}_extractor@v1/{question.output}"
        parameters = {"searches": [{"feature_uri": uri, "query": "{{INPUT.example}}"}], "final_top_k": 3}
        config = {"stage_id": "feature_search", "parameters": parameters}
        answer = client.post(
            "retrievers/execute",
            {
                "collection_identifiers": [f"demo-{question.extractor}"],
                "input_schema": {"example": {"type": "object"}},
                "inputs": {"example": question.query},
                "stages": [{"stage_name": "search", "config": config}],
            },
        )
        best = next(iter(answer["documents"]), {"score": 0.0})
        mark = "" if best.get("name") == question.expected else f" (expected {question.expected})"
        table.add_row(
            question.asked, f"{question.extractor}: {question.output}", f"{best.get('name')}{mark}", _where(best),
            f"{best['score']:.3f}",
        )  # fmt: skip
        last = answer["execution_id"]
    out.print(table)
    return last


def _where(document: dict[str, Any]) -> str:
    """The page, or from which second to which."""
    if document.get("start_time") is not None:
        return f"{document['start_time']:.1f}-{document['end_time']:.1f} s"
    return f"page {document['page_number']}" if document.get("page_number") is not None else ""
