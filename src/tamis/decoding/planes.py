"""A frame at reduced size, taken from its planes as they are: a tenth of the cost of scaling it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLANAR = {
    # How many rows and columns of brightness share one of colour.
    "yuv420p": (2, 2), "yuvj420p": (2, 2), "yuv422p": (1, 2), "yuvj422p": (1, 2), "yuv444p": (1, 1), "yuvj444p": (1, 1),
}  # fmt: skip


def reduced(frame: Any, width: int) -> NDArray[np.uint8]:
    """uint8 [height, width, 3], blue, green, red, of about `width` columns: every n-th pixel of the frame."""
    import cv2

    if frame.format.name not in _PLANAR:
        height = max(2, round(frame.height * width / frame.width))
        frame = frame.reformat(width=width, height=height, format="yuv444p")
    rows, columns = _PLANAR[frame.format.name]
    step = max(2, frame.width // width // 2 * 2) if frame.width >= 2 * width else max(rows, columns)
    luma = _plane(frame, 0, step, step)
    blue = _plane(frame, 1, step // rows, step // columns)
    red = _plane(frame, 2, step // rows, step // columns)
    height = min(len(luma), len(blue), len(red))
    across = min(luma.shape[1], blue.shape[1], red.shape[1])
    picture = cv2.merge([plane[:height, :across] for plane in (luma, red, blue)])
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_YCrCb2BGR))


def _plane(frame: Any, index: int, down: int, across: int) -> NDArray[np.uint8]:
    plane = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height : down, : plane.width : across]
