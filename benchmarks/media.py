"""Each medium against its bare model or decoder: objects a second, memory at the peak, and what bounds it.

    python -m benchmarks.media [--rounds 5] [--only pictures,texts] [--gigabytes 2] [--write results.md] [--no-batches]

Three ways in turn, in every round: `extractor`, a medium's extractor with its decoding processes, one call; `bare`,
plain code that calls the same decoder and the same model for the same outputs (benchmarks/media_bare.py), in this
process, one object after the other; `batch`, the same objects in a batch of a real server, from its submission until
its documents are searchable. Each round has contents of its own (benchmarks/media_salting.py), for what was extracted
once is not extracted again; one round before the first loads models and starts processes. All of it runs at the
niceness at which a server extracts; `--no-batches` leaves the server out, and runs at the niceness that it is given.

A ratio is the median of the rounds' ratios, by the clock: the machine may be shared, and what disturbs one of a pair
disturbs the other. Where it is, look at processor time too, in all processes of either side: a system may give each
process group its share, and then who has more of them has more of the machine. The peak is that of the server and of
its largest child over the medium's batches, and of an extractor on one large file: noise as JPEG frames beside silence,
cut every ten seconds. Exit status 1 where a limit is not held.
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.live import LiveServer
from tests.media_samples import samples, word_errors
from tests.shared_data import json_lines

from benchmarks import media_files
from benchmarks.media_kinds import Medium, Sources, media
from benchmarks.media_server import Batches, peak_kb
from tamis.decoding.pool import DecoderPool
from tamis.decoding.sniffing import content_type
from tamis.engine.ports.extraction import ExtractionFailure, Segment, SourceFile, SourceItem
from tamis.extractors.video_extractor import VideoExtractor
from tamis.inference.models import LocalModels
from tamis.jobs.calling import NICENESS

LEAST_RATIO = 0.8
MOST_MEMORY_MB = 1000
ROUNDS = 5
_SLOW_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Took:
    """Of one way in one round."""

    seconds: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """took: by way, a value a round.  peak_mb: of the server and of its largest child."""

    medium: Medium
    took: Mapping[str, Sequence[Took]]
    peak_mb: tuple[int, int] | None

    def rate(self, way: str) -> str:
        """Units a second at the median."""
        if way not in self.took:
            return ""
        return f"{self.medium.units[0] / statistics.median(one.seconds for one in self.took[way]):.3g}"

    def ratios(self, way: str) -> list[float]:
        """Bare seconds over this way's, by round."""
        return [bare.seconds / one.seconds for bare, one in zip(self.took["bare"], self.took[way], strict=True)]

    def told(self, way: str) -> str:
        """The median of the ratios, their range, and the median by processor time."""
        if way not in self.took:
            return " | "
        found = self.ratios(way)
        pairs = zip(self.took["bare"], self.took[way], strict=True)
        cpu = statistics.median(bare.cpu_s / max(one.cpu_s, 0.01) for bare, one in pairs)
        return f"**{statistics.median(found):.2f}** ({min(found):.2f}-{max(found):.2f}) | {cpu:.2f}"

    @property
    def is_held(self) -> bool:
        return all(statistics.median(self.ratios(way)) >= LEAST_RATIO for way in self.took)


class Bench:
    def __init__(self, folder: Path, server: LiveServer | None) -> None:
        self.folder = folder
        self.models = LocalModels(threads=os.cpu_count() or 1)
        self.pool = DecoderPool(folder / "decoding", workers=os.cpu_count() or 1, timeout_s=3600)
        self.batches = Batches(server) if server is not None else None

    def figures(self, medium: Medium, rounds: int) -> Figures:
        self.round(medium, 0)
        if self.batches is not None:
            self.batches.forget_peak()
        found = [
            self.round(medium, number)
            for number in range(1, 1 + (min(rounds, _SLOW_ROUNDS) if medium.is_slow else rounds))
        ]
        peak = None
        if self.batches is not None:
            peak = self.batches.peak_mb()
            self.batches.clear()
        return Figures(medium, {way: [one[way] for one in found] for way in found[0]}, peak)

    def round(self, medium: Medium, number: int) -> dict[str, Took]:
        """The bare between the others, so that it is the neighbour of each."""
        sources, batches = medium.anew(self.folder, number), self.batches
        ways: list[tuple[str, Callable[[], object]]] = [
            ("extractor", lambda: self.extracted(medium, sources)),
            ("bare", lambda: medium.bare(sources)),
        ]
        if batches is not None:
            batch = batches.send(medium, sources)
            ways.append(("batch", lambda: batches.run(batch)))
        return {way: self.timed(work) for way, work in ways[:: 1 if number % 2 else -1]}

    def timed(self, work: Callable[[], object]) -> Took:
        cpu_s, began = self.cpu_s(), time.perf_counter()
        work()
        return Took(time.perf_counter() - began, self.cpu_s() - cpu_s)

    def cpu_s(self) -> float:
        """Of this process, the decoding processes, the server and all that it started."""
        servers = self.batches.cpu_s() if self.batches is not None else 0.0
        # A worker that has done its thousand files is another's by now, and among those that have ended.
        ended = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        return time.process_time() + ended + sum(_cpu_s(worker.pid) for worker in self.pool.idle) + servers

    def extracted(self, medium: Medium, sources: Sources) -> list[Sequence[Segment]]:
        items = [_item(medium.source, source) for source in sources]
        answers = medium.extractor.extract(items, medium.extractor.Parameters(**medium.parameters), self.models)
        failures = [answer for answer in answers if isinstance(answer, ExtractionFailure)]
        if failures:
            raise RuntimeError(f"{medium.name}: {failures[0].message}")
        return [answer for answer in answers if not isinstance(answer, ExtractionFailure)]

    def large_file(self, gigabytes: float) -> dict[str, float]:
        """Megabytes at the peak of the decoding process and of this one, which is the server's part."""
        path = self.folder / "large.mkv"
        frames = media_files.large_video(path, gigabytes)
        given = {"split_method": "time", "run_multimodal_embedding": False, "longest_s": 1e4}
        extractor = VideoExtractor(self.models, self.pool)
        film = Medium("large", extractor, "video", [path], lambda _: None, "FFmpeg", (1, "video"), given)
        began = time.perf_counter()
        [segments] = self.extracted(film, [path])
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


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


_HEAD = (
    "| medium | bound by | bare | extractor | batch | extractor / bare | by cpu | batch / bare | by cpu "
    "| peak MB: server, child | held |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


def row(one: Figures) -> str:
    rates = " | ".join(one.rate(way) for way in ("bare", "extractor", "batch"))
    peak = ", ".join(map(str, one.peak_mb or ()))
    told = " | ".join(one.told(way) for way in ("extractor", "batch"))
    count, unit = one.medium.units
    name = f"{one.medium.name} ({count} {unit}s, a second)"
    return f"| {name} | {one.medium.bound_by} | {rates} | {told} | {peak} | {'yes' if one.is_held else 'NO'} |"


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} before"


def main(asked: argparse.Namespace) -> int:
    lines = [f"`python -m benchmarks.media {' '.join(sys.argv[1:])}`, {datetime.now(UTC):%Y-%m-%d}, {_machine()}.", ""]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tamis-bench-")))
        server = None
        if asked.batches:
            os.nice(NICENESS)
            server = stack.enter_context(LiveServer(folder / "data"))
        bench = Bench(folder, server)
        stack.callback(bench.pool.close)
        # First, while this process holds what a server holds, and not yet the bare models beside them.
        large = bench.large_file(asked.gigabytes) if asked.gigabytes else {}
        found: list[Figures] = []
        print("\n".join([*([f"A large video: {large}.", ""] if large else []), *_HEAD]), flush=True)
        for medium in media(folder, bench.models, bench.pool):
            if not asked.only or medium.name in asked.only.split(","):
                found.append(bench.figures(medium, asked.rounds))
                print(row(found[-1]), flush=True)
        lines += [*_HEAD, *map(row, found)]
        if large:
            lines += ["", f"A large video: {large}.", "", f"Speech: {word_error_rate(bench.models)}."]
    is_small = large.get("decoder_peak_mb", 0) + large.get("server_peak_mb", 0) < MOST_MEMORY_MB
    is_held = all(one.is_held for one in found) and is_small
    lines += ["", f"Load {os.getloadavg()[0]:.1f} after. Limits (a ratio of {LEAST_RATIO}, {MOST_MEMORY_MB} MB for a "
              f"large file): {'held' if is_held else 'NOT HELD'}."]  # fmt: skip
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
