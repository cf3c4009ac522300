"""The media of benchmarks/media.py: for each its extractor, its plain code, and how much of it makes a round."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from tests.media_samples import samples

from benchmarks import media_files
from benchmarks.media_bare import Bare
from benchmarks.media_salting import salted
from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.extraction import Extractor
from tamis.extractors.audio_extractor import AudioExtractor
from tamis.extractors.document_extractor import DocumentExtractor
from tamis.extractors.image_extractor import ImageExtractor
from tamis.extractors.text_extractor import TextExtractor
from tamis.extractors.video_extractor import VideoExtractor
from tamis.inference.models import LocalModels

Sources: TypeAlias = Sequence[Path | str]
_TEXTS, _PICTURES, _CLIPS, _OFFICE, _OF_EACH_SOUND, _OF_EACH_VIDEO, _SCANS = 200, 400, 20, 4, 4, 2, 2
"""Of each, so many that a round takes some seconds on two cores: a batch has costs of its own, however small it is."""


@dataclass(frozen=True, slots=True)
class Medium:
    """source: the extractor's input.  bare: over all of the sources.  units: what is counted, and how many there are.

    bound_by: the model or decoder that takes most of the time.
    """

    name: str
    extractor: Extractor
    source: str
    sources: Sources
    bare: Callable[[Sequence[Any]], Any]
    bound_by: str
    units: tuple[int, str]
    parameters: dict[str, Any] = field(default_factory=dict)
    is_slow: bool = False

    def anew(self, folder: Path, number: int) -> Sources:
        """The sources of a round: what was extracted once is not extracted again, so each has its own."""
        place = folder / self.name.replace(" ", "-") / str(number)
        place.mkdir(parents=True)
        return [salted(source, place, f"round {number} {index}") for index, source in enumerate(self.sources)]


def media(folder: Path, models: LocalModels, pool: DecoderPool) -> list[Medium]:
    """All of them; files that are made on the spot lie in `folder`."""
    bare = Bare(models, os.cpu_count() or 1)
    return [*_written(folder, models, pool, bare), *_seen_and_heard(folder, models, pool, bare)]


def _written(folder: Path, models: LocalModels, pool: DecoderPool, bare: Bare) -> list[Medium]:
    texts, documents = media_files.texts(_TEXTS), DocumentExtractor(models, pool)
    pdfs, scan = media_files.pdfs(), media_files.scan(folder)
    office = media_files.office(folder, _OFFICE)
    return [
        Medium("texts", TextExtractor(models), "text", texts, bare.texts, "MiniLM", (len(texts), "text")),
        Medium("PDFs with text", documents, "document", pdfs, _each(bare.pdf), "MiniLM", (12, "page")),
        Medium("scanned pages", documents, "document", [scan] * _SCANS, _each(bare.scan), "PP-OCR", (_SCANS, "page"),
               is_slow=True),
        Medium("office", documents, "document", office, _each(bare.office), "MiniLM", (len(office), "file")),
    ]  # fmt: skip


def _seen_and_heard(folder: Path, models: LocalModels, pool: DecoderPool, bare: Bare) -> list[Medium]:
    audio, talk = AudioExtractor(models, pool), media_files.talk(folder)
    pictures, sounds = media_files.pictures(_PICTURES), media_files.sounds() * _OF_EACH_SOUND
    clips, videos = media_files.recordings()[:_CLIPS], media_files.videos() * _OF_EACH_VIDEO
    unsaid, shots = {"run_transcription": False}, {"run_transcription": False, "run_multimodal_embedding": False}
    return [
        Medium("pictures", ImageExtractor(models, pool), "image", pictures, _each(bare.picture), "Pillow",
               (len(pictures), "picture")),
        Medium("short sounds", audio, "audio", sounds, _each(bare.sound), "FFmpeg", (len(sounds), "sound"), unsaid),
        Medium("speech clips", audio, "audio", clips, _each(bare.speech), "Whisper tiny.en", (len(clips), "clip"),
               is_slow=True),
        Medium("a talk", audio, "audio", [talk], _each(bare.speech), "Whisper tiny.en",
               (round(len(samples(talk)) / 16_000), "second"), is_slow=True),
        Medium("videos", VideoExtractor(models, pool), "video", videos, _each(bare.video), "FFmpeg",
               (len(videos), "video"), shots),
    ]  # fmt: skip


def _each(work: Callable[[Path], None]) -> Callable[[Sequence[Path]], None]:
    def run(sources: Sequence[Path]) -> None:
        for source in sources:
            work(source)

    return run
