"""Each medium against its bare model or decoder: objects a second, memory at the peak, and what bounds it.

    python -m benchmarks.media [--rounds 5] [--only pictures,sounds] [--gigabytes 2] [--write results.md]
        [--no-batches]

Three ways in turn, in every round: `extractor`, a medium's extractor with its decoding processes, one call; `bare`,
plain code that calls the same decoder and the same model for the same outputs (benchmarks/media_bare.py), in this
process, one object after the other; `batch`, the same objects in a batch of a real server, from its submission until
its documents are searchable. What loads a model or starts a process comes before the first round. All of it runs at the
niceness at which a server extracts; `--no-batches` leaves the server out, and runs at the niceness that it is given.

A ratio is the median of the rounds' ratios, by the clock: the machine may be shared, and what disturbs one of a pair
disturbs the other. `cpu` is the same by processor time, of this process and the decoding processes. Memory is that of
the server over all batches, and of an extractor on one large file: noise as JPEG frames beside silence, cut every ten
seconds. Exit status 1 where a limit is not held.
"""

import argparse
import contextlib
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.live import LiveServer
from tests.media_samples import samples, word_errors
from tests.shared_data import json_lines

from benchmarks import media_files
from benchmarks.media_bare import Bare
from benchmarks.media_server import Batches, peak_kb
from tamis.decoding.pool import DecoderPool
from tamis.decoding.sniffing import content_type
from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceFile, SourceItem
from tamis.extractors.audio_extractor import AudioExtractor
from tamis.extractors.document_extractor import DocumentExtractor
from tamis.extractors.image_extractor import ImageExtractor
from tamis.extractors.text_extractor import TextExtractor
from tamis.extractors.video_extractor import VideoExtractor
from tamis.inference.models import LocalModels
from tamis.jobs.calling import NICENESS

LEAST_RATIO = 0.8
MOST_MEMORY_MB = 1000
ROUNDS = 5
_SLOW_ROUNDS = 3
_TEXTS, _PICTURES, _SOUNDS, _CLIPS, _OFFICE = 200, 80, 80, 10, 4


@dataclass(frozen=True, slots=True)
class Medium:
    """source: the extractor's input.  bare: over all of the sources.  units: what is counted, and how many there are.

    bound_by: the model or decoder that takes most of the time.
    """

    name: str
    extractor: Extractor
    source: str
    sources: Sequence[Path | str]
    bare: Callable[[], Any]
    bound_by: str
    units: tuple[int, str]
    parameters: dict[str, Any] = field(default_factory=dict)
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Units a second at the best of the rounds; ratios to the bare at their median, clock and processor."""

    medium: Medium
    rates: dict[str, float]
    ratios: dict[str, float]
    spread: tuple[float, float]

    @property
    def is_held(self) -> bool:
        return min(self.ratios["extractor"], self.ratios.get("batch", 1.0)) >= LEAST_RATIO


class Bench:
    def __init__(self, folder: Path, server: LiveServer | None) -> None:
        self.folder = folder
        self.models = LocalModels(threads=os.cpu_count() or 1)
        self.pool = DecoderPool(folder / "decoding", workers=os.cpu_count() or 1, timeout_s=3600)
        self.bare = Bare(self.models, os.cpu_count() or 1)
        self.batches = Batches(server) if server is not None else None

    def media(self) -> list[Medium]:
        models, pool, bare = self.models, self.pool, self.bare
        texts, documents = media_files.texts(_TEXTS), DocumentExtractor(models, pool)
        pictures, sounds, videos = media_files.pictures(_PICTURES), media_files.sounds()[:_SOUNDS], media_files.videos()
        pdfs, scans = media_files.pdfs(), [media_files.scan(self.folder)]
        office, clips = media_files.office(self.folder, _OFFICE), media_files.recordings()[:_CLIPS]
        audio, talks = AudioExtractor(models, pool), [media_files.talk(self.folder)]
        unsaid, shots = {"run_transcription": False}, {"run_transcription": False, "run_multimodal_embedding": False}

        def each(work: Callable[[Path], None], paths: Sequence[Path]) -> Callable[[], None]:
            def run() -> None:
                for path in paths:
                    work(path)

            return run

        return [
            Medium("texts", TextExtractor(models), "text", texts, lambda: bare.texts(texts), "MiniLM",
                   (len(texts), "text")),
            Medium("pictures", ImageExtractor(models, pool), "image", pictures, each(bare.picture, pictures),
                   "Pillow", (len(pictures), "picture")),
            Medium("PDFs with text", documents, "document", pdfs, each(bare.pdf, pdfs), "MiniLM", (12, "page")),
            Medium("scanned pages", documents, "document", scans, each(bare.scan, scans), "PP-OCR", (1, "page"),
                   is_slow=True),
            Medium("office", documents, "document", office, each(bare.office, office), "MiniLM", (len(office), "file")),
            Medium("short sounds", audio, "audio", sounds, each(bare.sound, sounds), "FFmpeg", (len(sounds), "sound"),
                   unsaid),
            Medium("speech clips", audio, "audio", clips, each(bare.speech, clips), "Whisper tiny.en",
                   (len(clips), "clip"), is_slow=True),
            Medium("a talk", audio, "audio", talks, each(bare.speech, talks), "Whisper tiny.en",
                   (round(len(samples(talks[0])) / 16_000), "second"), is_slow=True),
            Medium("videos", VideoExtractor(models, pool), "video", videos, each(bare.video, videos), "FFmpeg",
                   (len(videos), "video"), shots),
        ]  # fmt: skip

    def figures(self, medium: Medium, rounds: int) -> Figures:
        ways: dict[str, Callable[[], float]] = {
            "extractor": lambda: _timed(lambda: self.extracted(medium)),
            "bare": lambda: _timed(medium.bare),
        }
        batches = self.batches
        if batches is not None:
            ways["batch"] = lambda: batches.seconds(
                medium.name, medium.extractor.name, medium.source, medium.parameters, medium.sources
            )
        for way in ways.values():
            way()
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        cpu: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(min(rounds, _SLOW_ROUNDS) if medium.is_slow else rounds):
            for name in list(ways)[:: 1 if number % 2 else -1]:
                before = self.cpu_s()
                seconds[name].append(ways[name]())
                cpu[name].append(self.cpu_s() - before)
        ratios = {name: _median_ratio(seconds["bare"], seconds[name]) for name in ways if name != "bare"}
        ratios["cpu"] = _median_ratio(cpu["bare"], cpu["extractor"])
        pairs = [theirs / ours for theirs, ours in zip(seconds["bare"], seconds["extractor"], strict=True)]
        rates = {name: medium.units[0] / min(took) for name, took in seconds.items()}
        return Figures(medium, rates, ratios, (min(pairs), max(pairs)))

    def cpu_s(self) -> float:
        """Of this process and the decoding processes, all threads."""
        return time.process_time() + sum(_cpu_s(worker.pid) for worker in self.pool.idle)

    def extracted(self, medium: Medium, **parameters: object) -> list[Sequence[Segment]]:
        items = [_item(medium.source, source) for source in medium.sources]
        given = medium.extractor.Parameters(**{**medium.parameters, **parameters})
        answers = medium.extractor.extract(items, given, self.models)
        failures = [answer for answer in answers if isinstance(answer, ExtractionFailure)]
        if failures:
            raise RuntimeError(f"{medium.name}: {failures[0].message}")
        return [answer for answer in answers if not isinstance(answer, ExtractionFailure)]

    def large_file(self, gigabytes: float) -> dict[str, float]:
        """Megabytes at the peak of the decoding process and of this one, which is the server's part."""
        path = self.folder / "large.mkv"
        frames = media_files.large_video(path, gigabytes)
        given = {"split_method": "time", "run_multimodal_embedding": False, "longest_s": 1e4}
        film = Medium(
            "large", VideoExtractor(self.models, self.pool), "video", [path], lambda: None, "", (1, "video"), given
        )
        began = time.perf_counter()
        [segments] = self.extracted(film)
        figures = {
            "file_mb": round(path.stat().st_size / 1e6), "frames": frames, "segments": len(segments),
            "seconds": round(time.perf_counter() - began, 1),
            "decoder_peak_mb": round(max(peak_kb(worker.pid) for worker in self.pool.idle) / 1024),
            "server_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }  # fmt: skip
        path.unlink()
        return figures


def word_error_rate(models: LocalModels) -> dict[str, float]:
    """Of all spoken descriptions; the captions' articles are not spoken and are left out."""
    rows = json_lines(media_files.DATA / "tuxpaint_stamps" / "stamps.jsonl")
    said = sorted({(row["audio"]["en"], row["caption"]) for row in rows if row.get("audio", {}).get("en")})
    transcriber = models.transcriber()
    heard = [
        " ".join(
            one.text for one in transcriber.transcribe(samples(media_files.DATA / "tuxpaint_stamps" / path)).utterances
        )
        for path, _ in said
    ]
    return {"recordings": len(said), "word_error_rate": round(word_errors([caption for _, caption in said], heard), 3)}


def _item(name: str, source: Path | str) -> SourceItem:
    if isinstance(source, str):
        return SourceItem(str(hash(source)), {name: source})
    return SourceItem(source.name, {}, {name: SourceFile(source, source.stat().st_size, content_type(source))})


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median_ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    return statistics.median(one / max(other, 1e-9) for one, other in zip(theirs, ours, strict=True))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(found: Sequence[Figures]) -> list[str]:
    lines = [
        "| medium | bound by | bare | extractor | batch | extractor/bare | its rounds | by cpu | batch/bare | held |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in found:
        rates = " | ".join(
            f"{one.rates[name]:.3g}" if name in one.rates else "" for name in ("bare", "extractor", "batch")
        )
        batch = f"{one.ratios['batch']:.2f}" if "batch" in one.ratios else ""
        lines.append(
            f"| {one.medium.name} ({one.medium.units[1]}s a second) | {one.medium.bound_by} | {rates} | "
            f"{one.ratios['extractor']:.2f} | {one.spread[0]:.2f}-{one.spread[1]:.2f} | {one.ratios['cpu']:.2f} | "
            f"{batch} | {'yes' if one.is_held else 'NO'} |"
        )
    return lines


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} before"


def main(asked: argparse.Namespace) -> int:
    lines = [f"`python -m benchmarks.media {' '.join(sys.argv[1:])}`, {datetime.now(UTC):%Y-%m-%d}, {_machine()}.", ""]
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="tamis-bench-"))
        server = None
        if asked.batches:
            os.nice(NICENESS)
            server = stack.enter_context(LiveServer(Path(name) / "data"))
        bench = Bench(Path(name), server)
        # First, while this process holds what a server holds, and not yet the bare models beside them.
        large = bench.large_file(asked.gigabytes) if asked.gigabytes else {}
        found: list[Figures] = []
        for medium in bench.media():
            if not asked.only or medium.name in asked.only.split(","):
                found.append(bench.figures(medium, asked.rounds))
                print(table(found[-1:])[-1], flush=True)
        lines += table(found)
        if bench.batches is not None:
            lines += ["", f"Peak memory of the server over all batches, MB: {bench.batches.peak_mb()}."]
        if large:
            lines += ["", f"A large video: {large}.", "", f"Speech: {word_error_rate(bench.models)}."]
        bench.pool.close()
    is_small = large.get("decoder_peak_mb", 0) + large.get("server_peak_mb", 0) < MOST_MEMORY_MB
    is_held = all(one.is_held for one in found) and is_small
    verdict = "held" if is_held else "NOT HELD"
    lines += ["", f"Limits (a ratio of {LEAST_RATIO}, {MOST_MEMORY_MB} MB for a large file): {verdict}."]
    print("\n".join(lines))
    if asked.write:
        Path(asked.write).write_text("# Media: figures of one run\n\n" + "\n".join(lines) + "\n")
    return 0 if is_held else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="media by name, by commas")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="of the large video; 0 for none")
    parser.add_argument("--no-batches", dest="batches", action="store_false")
    parser.add_argument("--write", default="", help="a file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments()))
