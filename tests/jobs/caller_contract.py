"""What every Caller keeps, wherever it calls extractors: on threads of the server, or by actors of a Ray cluster."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path

import numpy as np

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, SourceFile, SourceItem
from tamis.jobs.calling import Caller, Result, Source
from tamis.model.vector import Dense
from tests.extraction_world import BAD, BOOM, LetterParameters, NoModels, NoParameters, letters
from tests.jobs.benches import Bookcase


def extractor(name: str) -> Extractor:
    found = Bookcase().get(name, "v1")
    assert found is not None
    return found


def source(text: str, separator: str | None = None) -> Source:
    return Source(SourceItem(f"obj_{text}", {"text": text}), LetterParameters(separator=separator))


def segments(result: Result) -> list[dict[str, object]]:
    assert not isinstance(result, ExtractionFailure), result
    return [dict(segment.fields) for segment in result]


class CallerContract:
    """To be inherited beside a fixture `caller`, whose extractors are those of `tests.jobs.benches`."""

    async def test_each_source_has_its_answer_by_its_own_parameters(self, caller: Caller) -> None:
        sources = [source("one|two", "|"), source("three"), source("four five", " ")]
        found = await caller.call(extractor("letter_extractor"), sources, NoModels())
        assert {key: [one["text"] for one in segments(result)] for key, result in found.items()} == {
            "obj_one|two": ["one", "two"],
            "obj_three": ["three"],
            "obj_four five": ["four", "five"],
        }
        (made,) = found["obj_three"]  # type: ignore[misc] # no failure, as seen above
        vector = made.vectors["letters"]
        assert isinstance(vector, Dense)
        np.testing.assert_array_equal(vector.values, letters("three"))

    async def test_what_is_wrong_with_a_source_stays_with_it(self, caller: Caller) -> None:
        sources = [source(text) for text in ("a", f"this {BAD}", "b", f"this {BOOM}", "c")]
        found = await caller.call(extractor("letter_extractor"), sources, NoModels())
        failures = {key: one for key, one in found.items() if isinstance(one, ExtractionFailure)}
        assert failures == {
            f"obj_this {BAD}": ExtractionFailure("this text is refused"),
            f"obj_this {BOOM}": ExtractionFailure("RuntimeError: the extractor broke", "runtime"),
        }
        assert [segments(found[f"obj_{text}"])[0]["text"] for text in "abc"] == ["a", "b", "c"]

    async def test_files_come_whole(self, caller: Caller, tmp_path: Path) -> None:
        contents = {"large": os.urandom(17 << 20), "small": b"x", "empty": b""}
        sources = []
        for name, content in contents.items():
            path = tmp_path / f"{name}.bin"
            path.write_bytes(content)
            file = SourceFile(path, len(content), "application/octet-stream")
            sources.append(Source(SourceItem(name, {}, {"file": file}), NoParameters()))
        found = await caller.call(extractor("file_reader"), sources, NoModels())
        for name, content in contents.items():
            (told,) = segments(found[name])
            assert (told["size"], told["hash"]) == (len(content), sha256(content).hexdigest())

    async def test_calls_at_once(self, caller: Caller) -> None:
        many = [[source(f"{letter}{number}") for number in range(5)] for letter in "abcdef"]
        found = await asyncio.gather(*(caller.call(extractor("letter_extractor"), few, NoModels()) for few in many))
        assert [set(one) for one in found] == [{each.item.source_id for each in few} for few in many]
        assert caller.trouble is None
