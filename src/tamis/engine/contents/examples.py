"""Files as queries: what a feature makes of a picture, a sound or a video. Calls block; they run on worker threads."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tamis.engine.contents.contents import Given, Loc, Part
from tamis.engine.contents.papers import Reading as PaperReading
from tamis.engine.contents.papers import read_paper
from tamis.engine.contents.visual_features import pixels_of
from tamis.engine.media.sounds import samples_of
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import SourceFile
from tamis.engine.ports.inference import JointEmbedder, Models, Pixels, Samples
from tamis.errors import DecodeError, ModelMissingError, ValidationError
from tamis.model.media_document import PdfOptions
from tamis.model.media_picture import Picture, PictureOptions
from tamis.model.media_sound import Sound, SoundOptions
from tamis.model.media_video import Film, Shot, VideoOptions
from tamis.model.vector import FeatureSpec, FloatArray, Space

T = TypeVar("T")

_TIMEOUT_S = 60.0
_LONGEST_S = 600.0
_MOST_FRAMES = 8
_READ = PictureOptions(side=1600)
"""Letters are small."""
_LINE = 20
"""Pixels within which lines stand beside each other."""
_MOST_PAGES = 4
_FIRST_PAGES = PaperReading(PdfOptions(pages=_MOST_PAGES, thumbnail_dpi=0), most_pictures=1)
_SEEN, _HEARD = ("image", "video"), ("audio", "video")
_FITTING: dict[Space, tuple[tuple[str, ...], ...]] = {
    Space.TEXT: (("text",), ("image", "audio", "video", "document")),
    Space.VISUAL: (_SEEN, ("text",)),
    Space.ACOUSTIC: (_HEARD,),
    Space.OWN: (),
}
_ASKED_WITH = {
    Space.TEXT: "a text, or what can be read in a document or a picture or heard in a sound",
    Space.VISUAL: "a picture or a video",
    Space.ACOUSTIC: "a sound or a video",
    Space.OWN: "a vector or a stored document, since only its extractor makes such vectors",
}


def fitting(given: Given, spec: FeatureSpec, loc: Loc) -> list[Part]:
    """The parts that the feature can be asked with; of an object's those that say it best. Raises: ValidationError."""
    for families in _FITTING[spec.space]:
        found = [part for part in given.parts if part.family in families]
        if found:
            return found
    named = " and ".join(sorted({part.family for part in given.parts}))
    raise ValidationError.at(loc, f"{spec.name!r} is asked with {_ASKED_WITH[spec.space]}; this is {named}")


class Examples:
    def __init__(self, models: Models, decoding: Decoding | None) -> None:
        self._models = models
        self._decoding = decoding

    def text(self, part: Part, loc: Loc) -> str:
        """Itself, or what a file says. Raises: ValidationError at `loc`."""
        if part.text is not None:
            return part.text
        try:
            found = self._said(part, loc)
        except ModelMissingError as error:
            # The feature wants a text: without such a model this file holds none.
            message = f"the text in this {part.family} cannot be had: {error.message}"
            raise ValidationError.at(loc, message) from error
        if not found.strip():
            raise ValidationError.at(loc, f"there is no text in this {part.family} to search with")
        return found

    def row(self, part: Part, spec: FeatureSpec, loc: Loc) -> FloatArray:
        """float32 [dim], unit length, of a visual or an acoustic feature. Raises: ValidationError at `loc`."""
        if spec.space is Space.ACOUSTIC:
            return self._sounding(part, loc)
        embedder = self._models.visual(spec.inference_name)
        if part.text is not None:
            if not isinstance(embedder, JointEmbedder):
                message = (
                    f"{spec.name!r} cannot be asked by a text: {embedder.info.name} looks at pictures only. Ask with a "
                    "picture, or search captions, transcripts or the text in pictures by a text feature"
                )
                raise ValidationError.at(loc, message)
            described: FloatArray = embedder.embed_texts([part.text])[0]
            return described
        return _middle(embedder.embed_images(self._pictures(part, PictureOptions(), loc)))

    def _said(self, part: Part, loc: Loc) -> str:
        if part.family == "document":
            return self._written(part, loc)
        return self._read(part, loc) if part.family == "image" else self._heard(part, loc)

    def _written(self, part: Part, loc: Loc) -> str:
        """Of a document's first pages: a text model reads no further."""
        decoding = self._at_hand(loc)
        if part.file is None:
            return ""
        file = SourceFile(part.file, part.file.stat().st_size, part.media_type)
        try:
            pages = list(islice(read_paper(file, decoding, self._models.ocr, _FIRST_PAGES), _MOST_PAGES))
        except DecodeError as error:
            raise _refused(error, loc) from error
        return "\n".join(block.text for one in pages for block in one.page.blocks)

    def _read(self, part: Part, loc: Loc) -> str:
        reader = self._models.ocr()
        (pixels,) = self._pictures(part, _READ, loc)
        lines = sorted(reader.read(pixels), key=lambda line: (round(line.top / _LINE), line.left))
        return "\n".join(line.text for line in lines)

    def _heard(self, part: Part, loc: Loc) -> str:
        decoding = self._at_hand(loc)
        with decoding.folder() as work:
            transcript = self._models.transcriber().transcribe(self._samples(decoding, part, work, loc))
        return " ".join(utterance.text.strip() for utterance in transcript.utterances)

    def _sounding(self, part: Part, loc: Loc) -> FloatArray:
        decoding = self._at_hand(loc)
        with decoding.folder() as work:
            return self._models.acoustic().describe(self._samples(decoding, part, work, loc))

    def _samples(self, decoding: Decoding, part: Part, work: Path, loc: Loc) -> Samples:
        sound = _decoded(decoding, "sound", part, SoundOptions(longest_s=_LONGEST_S), Sound, work, loc)
        return samples_of(sound)

    def _pictures(self, part: Part, options: PictureOptions, loc: Loc) -> list[Pixels]:
        """The picture, or key frames of the video."""
        decoding = self._at_hand(loc)
        with decoding.folder() as work:
            files = [part]
            if part.family == "video":
                film = _decoded(decoding, "video", part, VideoOptions(longest_s=_LONGEST_S), Film, work, loc)
                files = [Part(None, Path(shot.key.file), "image/jpeg") for shot in _spread(film.shots)]
            return [pixels_of(_decoded(decoding, "picture", one, options, Picture, work, loc)) for one in files]

    def _at_hand(self, loc: Loc) -> Decoding:
        if self._decoding is None:
            raise ValidationError.at(loc, "files other than texts cannot be decoded here")
        return self._decoding


def _decoded(decoding: Decoding, task: str, part: Part, options: Any, kind: type[T], work: Path, loc: Loc) -> T:
    if part.file is None:
        raise ValidationError.at(loc, "there is no file to decode")
    try:
        return decoding.decode(task, part.file, options, kind, work, _TIMEOUT_S)
    except DecodeError as error:
        raise _refused(error, loc) from error


def _refused(error: DecodeError, loc: Loc) -> DecodeError | ValidationError:
    """What is wrong with the file is said where it stands; what is wrong here stays what it is."""
    return error if error.error_type == "dependency" else ValidationError.at(loc, error.message)


def _spread(shots: Sequence[Shot]) -> list[Shot]:
    """At most eight of them, from the whole length."""
    step = max(1, -(-len(shots) // _MOST_FRAMES))
    return list(shots[::step])


def _middle(rows: FloatArray) -> FloatArray:
    if len(rows) == 1:
        only: FloatArray = rows[0]
        return only
    total = rows.sum(axis=0, dtype=np.float64)
    middle = np.divide(total, float(np.linalg.norm(total)) or 1.0, dtype=np.float64)
    return np.asarray(middle, np.float32)
