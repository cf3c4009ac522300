"""Pictures, and the texts that describe them, to rows of one space: CLIP, SigLIP and their like by ONNX Runtime.

A folder as transformers.js and optimum export it: `vision_model.onnx`, `text_model.onnx`, `tokenizer.json`,
`preprocessor_config.json`, the ONNX files also below `onnx/`. Without a text model it looks at pictures only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tamis.engine.ports.inference import ModelInfo, Pixels, VisualEmbedder
from tamis.errors import ModelMissingError
from tamis.inference.artifacts import hash_of
from tamis.inference.manifest import content_version
from tamis.inference.onnx_text import open_session, open_tokenizer, sound, unit_rows
from tamis.model.vector import FloatArray

_VISION, _TEXT = "vision_model.onnx", "text_model.onnx"
_PREPROCESSING = "preprocessor_config.json"
_PROJECTED = ("image_embeds", "text_embeds", "pooler_output", "sentence_embedding")
"""Outputs that are one row an input, the best one first."""
_WINDOW = 77
_BATCH = 8
_CHARACTERS_A_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Preparing:
    """How a model wants its pictures. width, height: None keeps the proportions; `shortest` is then the shorter side.

    crop: the middle of so many pixels, width and height.
    """

    width: int | None
    height: int | None
    shortest: int | None
    crop: tuple[int, int] | None
    resample: int
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Preparing":
        """Raises: ValueError where the configuration says no size."""
        size, crop = config.get("size", config.get("crop_size")), config.get("crop_size")
        given = {"shortest_edge": size} if isinstance(size, int) else dict(size or {})
        if not ({"width", "height"} <= given.keys() or "shortest_edge" in given):
            raise ValueError(f"{_PREPROCESSING} says no size")
        cropped = {"width": crop, "height": crop} if isinstance(crop, int) else crop
        does_crop = config.get("do_center_crop", crop is not None) and cropped
        normalises = config.get("do_normalize", True)
        return cls(
            width=given.get("width"),
            height=given.get("height"),
            shortest=given.get("shortest_edge"),
            crop=(int(cropped["width"]), int(cropped["height"])) if does_crop and cropped else None,
            resample=int(config.get("resample", 3)),
            scale=float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
            mean=tuple(config.get("image_mean", (0.5,) * 3)) if normalises else (0.0,) * 3,
            deviation=tuple(config.get("image_std", (0.5,) * 3)) if normalises else (1.0,) * 3,
        )

    def pixels(self, image: Pixels) -> FloatArray:
        """image: uint8 [h, w, 3].  Returns: float32 [3, h', w']."""
        from PIL import Image

        picture = Image.fromarray(image)
        resized = picture.resize(self._target(picture.size), Image.Resampling(self.resample))
        if self.crop is not None:
            resized = _middle(resized, self.crop)
        scaled = np.multiply(np.asarray(resized), self.scale, dtype=np.float32)
        values = np.divide(np.subtract(scaled, self.mean, dtype=np.float32), self.deviation, dtype=np.float32)
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def _target(self, size: tuple[int, int]) -> tuple[int, int]:
        if self.shortest is None:
            return int(self.width or 1), int(self.height or 1)
        width, height = size
        factor = self.shortest / min(size)
        # The longer side is cut, not rounded, as the models' own preprocessing does it.
        return (self.shortest, int(height * factor)) if width <= height else (int(width * factor), self.shortest)


def _middle(picture: Any, crop: tuple[int, int]) -> Any:
    width, height = crop
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


class OnnxVisualEmbedder:
    """A VisualEmbedder by a folder's vision model. Safe for threads."""

    def __init__(self, vision: Path, preparing: Preparing, info: ModelInfo, threads: int = 0) -> None:
        self._vision = open_session(vision, threads)
        self._preparing = preparing
        self.info = info

    def embed_images(self, images: Sequence[Pixels]) -> FloatArray:
        rows = np.zeros((len(images), self.info.dimensions), np.float32)
        for start in range(0, len(images), _BATCH):
            batch = np.stack([self._preparing.pixels(image) for image in images[start : start + _BATCH]])
            rows[start : start + _BATCH] = _rows(self._vision, {"pixel_values": batch})
        return rows


class OnnxJointEmbedder(OnnxVisualEmbedder):
    """A JointEmbedder: the text model beside the vision model. Texts are cut at the model's window."""

    def __init__(
        self, vision: Path, text: Path, tokenizer: Path, preparing: Preparing, info: ModelInfo, padding: int = 0,
        threads: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(vision, preparing, info, threads)
        self._text = open_session(text, threads)
        self._tokenizer = open_tokenizer(tokenizer)
        self._tokenizer.enable_truncation(info.max_tokens)
        # To the whole window: SigLIP was trained so, and CLIP reads nothing behind the end of a text.
        self._tokenizer.enable_padding(length=info.max_tokens, pad_id=padding)
        self._most_characters = info.max_tokens * _CHARACTERS_A_TOKEN

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        rows = np.zeros((len(texts), self.info.dimensions), np.float32)
        for start in range(0, len(texts), _BATCH):
            some = [sound(text[: self._most_characters]) for text in texts[start : start + _BATCH]]
            encoded = self._tokenizer.encode_batch(some)
            feed = {
                "input_ids": np.array([one.ids for one in encoded], np.int64),
                "attention_mask": np.array([one.attention_mask for one in encoded], np.int64),
            }
            rows[start : start + _BATCH] = _rows(self._text, feed)
        return rows


@dataclass(frozen=True, slots=True)
class VisualDirectory:
    """A folder of the model directory that holds a vision model, by its name there."""

    name: str
    folder: Path

    @classmethod
    def list(cls, model_dir: Path) -> "list[VisualDirectory]":
        found = [path.parent for depth in ("*", "*/*") for path in model_dir.glob(f"{depth}/{_PREPROCESSING}")]
        return [
            cls(folder.relative_to(model_dir).as_posix(), folder)
            for folder in sorted(found)
            if _file(folder, _VISION) or (_file(folder, "model.onnx") and not _file(folder, _TEXT))
        ]

    def load(self, threads: int) -> VisualEmbedder:
        """Raises: ModelMissingError where the files cannot be run."""
        try:
            return self._load(threads)
        except Exception as error:
            raise ModelMissingError(f"the model in {self.folder} cannot be used: {error}", model=self.name) from error

    def _load(self, threads: int) -> VisualEmbedder:
        vision, text = _file(self.folder, _VISION, "model.onnx"), _file(self.folder, _TEXT)
        if vision is None:
            raise FileNotFoundError(_VISION)
        preparing = Preparing.of(_json(self.folder / _PREPROCESSING))
        seen = _width(vision)
        if text is None:
            info = self._info(seen, 0, [vision])
            return OnnxVisualEmbedder(vision, preparing, info, threads)
        if (read := _width(text)) != seen:
            raise ValueError(f"its pictures have {seen} dimensions and its texts {read}")
        tokenizer = self.folder / "tokenizer.json"
        window, padding = self._window(), self._padding(tokenizer)
        info = self._info(seen, window, [vision, text, tokenizer])
        return OnnxJointEmbedder(vision, text, tokenizer, preparing, info, padding, threads)

    def _info(self, dimensions: int, window: int, files: Sequence[Path]) -> ModelInfo:
        version = content_version([hash_of(file) for file in (*files, self.folder / _PREPROCESSING)])
        return ModelInfo(self.name, version, dimensions, window, license="as its owner says")

    def _window(self) -> int:
        model = _json(self.folder / "config.json").get("text_config") or {}
        tokens = _json(self.folder / "tokenizer_config.json").get("model_max_length")
        told = model.get("max_position_embeddings", tokens)
        return int(told) if isinstance(told, int | float) and 0 < told < 10_000 else _WINDOW

    def _padding(self, tokenizer: Path) -> int:
        told = _json(self.folder / "tokenizer_config.json").get("pad_token")
        token = told.get("content") if isinstance(told, dict) else told
        found = open_tokenizer(tokenizer).token_to_id(token) if isinstance(token, str) else None
        return found or 0


def _file(folder: Path, *names: str) -> Path | None:
    candidates = (folder / below / name for name in names for below in ("", "onnx"))
    return next((path for path in candidates if path.is_file()), None)


def _json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _width(model: Path) -> int:
    """Length of the rows that the ONNX file gives. Raises: ValueError where it does not fix it."""
    size = _output(open_session(model, 1)).shape[-1]
    if not isinstance(size, int):
        raise ValueError(f"{model.name} does not say how long its rows are")
    return size


def _output(session: Any) -> Any:
    outputs = {node.name: node for node in session.get_outputs()}
    named = next((outputs[name] for name in _PROJECTED if name in outputs), None)
    return named or session.get_outputs()[0]


def _rows(session: Any, feed: Mapping[str, NDArray[Any]]) -> FloatArray:
    wanted = {node.name for node in session.get_inputs()}
    rows = np.asarray(
        session.run([_output(session).name], {name: value for name, value in feed.items() if name in wanted})[0],
        np.float32,
    )
    # Where a vision model gives a row for each patch, the first one stands for the picture.
    return unit_rows(rows[:, 0] if rows.ndim == 3 else rows)
