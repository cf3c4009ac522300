"""Text in pictures by PP-OCR, whose models lie in the wheel of `rapidocr`: nothing is fetched."""

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tamis.engine.ports.inference import ModelInfo, Pixels, ReadText
from tamis.errors import ModelMissingError
from tamis.inference.artifacts import hash_of
from tamis.inference.manifest import content_version

_NAME = "pp-ocrv6-small"
_FILES = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
_SMALLEST = 8
"""Pixels; nothing can be read in less."""


class PaddleTextReader:
    """A TextReader for Latin and Chinese script, upright or upside down.

    Cost, on one core: a fifth of a second for finding lines, and a third for each line.  Safe for threads.
    Raises: ModelMissingError where the extra is not installed.
    """

    def __init__(self, threads: int = 0) -> None:
        # Found without being imported: to say which model it is takes no second of loading.
        found = find_spec("rapidocr")
        if found is None or found.origin is None:
            raise ModelMissingError("reading text in pictures needs rapidocr: pip install 'tamis[media]'", model=_NAME)
        folder = Path(found.origin).parent / "models"
        files = {step: folder / name for step, name in _FILES.items()}
        missing = [path.name for path in files.values() if not path.is_file()]
        if missing:
            # A path that is not there would make the library fetch.
            raise ModelMissingError(f"this build of rapidocr does not carry {', '.join(missing)}", model=_NAME)
        self._parameters = _parameters(files, threads)
        self._first = threading.Lock()
        self._engine: Any = None
        version = content_version([hash_of(path) for path in files.values()])
        self.info = ModelInfo(_NAME, version, 0, 0, "Apache-2.0")

    def read(self, pixels: Pixels) -> list[ReadText]:
        if min(pixels.shape[:2]) < _SMALLEST:
            return []
        # The library takes blue first.
        found = self._run(np.ascontiguousarray(pixels[..., ::-1]))
        if found.txts is None or found.boxes is None:
            return []
        return [
            ReadText(str(text), *_edges(box), confidence=round(float(score), 4))
            for text, box, score in zip(found.txts, found.boxes, found.scores, strict=True)
            if str(text).strip()
        ]

    def _run(self, pixels: Pixels) -> Any:
        """The first call loads the models, and others wait for it."""
        if self._engine is None:
            with self._first:
                if self._engine is None:
                    from rapidocr import RapidOCR

                    engine = RapidOCR(params=self._parameters)
                    found = engine(pixels)
                    self._engine = engine
                    return found
        return self._engine(pixels)


def _parameters(files: dict[str, Path], threads: int) -> dict[str, Any]:
    return {
        "Global.log_level": "critical",
        "EngineConfig.onnxruntime.intra_op_num_threads": threads or -1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        **{f"{step}.model_path": str(path) for step, path in files.items()},
    }


def _edges(box: Any) -> tuple[float, float, float, float]:
    """left, top, right, bottom of four corners."""
    corners = np.asarray(box, np.float32)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
