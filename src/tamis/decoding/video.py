"""A video to shots, each with a key frame, in one pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tamis.decoding.containers import Track, name_of, opened, video_streams
from tamis.decoding.planes import reduced
from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_video import Film, KeyFrame, Shot, VideoOptions

_DETECTION_WIDTH = 96
_MOST_PIXELS = 64_000_000
_FALLBACK_FPS = 25.0
_COMPARED_A_SECOND = 8
_READING_QUALITY = 92


def decode_video(path: Path, options: VideoOptions, work: Path) -> Film:
    """The shots of the first video track. Frames are looked at one by one; memory does not grow with the length.

    Raises: UnreadableError where there is no video, nothing of it can be decoded, or a limit is passed.
    """
    with opened(path) as container:
        streams = video_streams(container)
        if not streams:
            raise UnreadableError("there is no video in the file")
        stream = streams[0]
        track = Track(container, stream)
        _refuse_large(stream.width, stream.height)
        stream.thread_type = "AUTO"
        fps = float(stream.average_rate or stream.guessed_rate or _FALLBACK_FPS)
        cutting = _Cutting(options, work, fps)
        for frame in track.frames():
            cutting.look(frame, track.time_s(frame))
        shots = cutting.finish()
        if not shots:
            raise UnreadableError(f"nothing of the video can be decoded: {track.damage or 'it has no frames'}")
        return Film(
            shots=tuple(shots),
            duration_ms=shots[-1].end_ms,
            frames=cutting.frames,
            fps=round(fps, 3),
            width=int(stream.width),
            height=int(stream.height),
            codec=str(stream.codec_context.name),
            container=name_of(container),
            has_sound=bool(container.streams.audio),
            damage=track.damage,
        )


@dataclass(slots=True)
class _Open:
    """A shot whose end has not been seen.

    candidates: the frames at 1, 2, 4 ... steps from its start; only the last two are kept, and one of them lies
    between a third and two thirds of wherever the shot ends.
    """

    start_ms: int
    candidates: list[tuple[int, Any]] = field(default_factory=list)

    def look(self, frame: Any, time_ms: int) -> None:
        if not self.candidates or time_ms - self.start_ms >= 2 * max(1, self.candidates[-1][0] - self.start_ms):
            self.candidates = [*self.candidates[-1:], (time_ms, frame)]

    def key(self, end_ms: int) -> tuple[int, Any]:
        middle = (self.start_ms + end_ms) / 2
        return min(self.candidates, key=lambda candidate: abs(candidate[0] - middle))


class _Cutting:
    def __init__(self, options: VideoOptions, work: Path, fps: float) -> None:
        self.frames = 0
        self._options = options
        self._work = work
        self._frame_ms = 1000.0 / fps
        self._cut = _cut(options, fps)
        self._open: _Open | None = None
        self._now_ms = 0.0
        self._shots: list[Shot] = []

    def look(self, frame: Any, time_s: float | None) -> None:
        now = time_s * 1000.0 if time_s is not None else self._now_ms + self._frame_ms
        # A frame that goes back in time, as in damaged files, counts as shown right after the one before it.
        self._now_ms = max(now, self._now_ms) if self.frames else max(now, 0.0)
        self._refuse_long()
        time_ms = round(self._now_ms)
        if self._open is None:
            # What is shown first is shown from the start.
            self._open = _Open(0)
            self._cut(frame, time_ms, 0)
        else:
            boundary_ms = self._cut(frame, time_ms, self._open.start_ms)
            if boundary_ms is not None:
                self._close(boundary_ms)
                self._open = _Open(boundary_ms)
        self.frames += 1
        self._open.look(frame, time_ms)

    def finish(self) -> list[Shot]:
        if self._open is not None:
            self._close(max(round(self._now_ms + self._frame_ms), self._open.start_ms + 1))
            self._open = None
        return self._shots

    def _close(self, end_ms: int) -> None:
        if self._open is None:
            return
        if len(self._shots) >= self._options.most_shots:
            raise UnreadableError(f"the video falls into more than {self._options.most_shots} shots", "runtime")
        time_ms, frame = self._open.key(end_ms)
        key = _written(frame, time_ms, self._work / f"shot-{len(self._shots):05}.jpg", self._options)
        self._shots.append(Shot(self._open.start_ms, end_ms, key))

    def _refuse_long(self) -> None:
        if self._now_ms > self._options.longest_s * 1000:
            raise UnreadableError(f"the video is longer than {self._options.longest_s:.0f} s", "runtime")


_Cut = Callable[[Any, int, int], int | None]
"""Of a frame, its time and the start of the shot so far: where the shot ends, if it does."""


def _cut(options: VideoOptions, fps: float) -> _Cut:
    if options.split == "scene":
        return _by_scene(options, fps)
    if options.split == "time":
        interval = max(1, options.interval_ms)
        return lambda _, now, start: now // interval * interval if now // interval > start // interval else None
    return _as_given(options.boundaries_ms)


def _by_scene(options: VideoOptions, fps: float) -> _Cut:
    """Where the picture changes, by PySceneDetect's measure of hue, saturation and brightness.

    Some eight frames a second are compared; the ones between only where there is a cut, to find its frame.
    """
    changes = _Changes(options.threshold, max(1, round(fps / _COMPARED_A_SECOND)))

    def cut(frame: Any, now: int, start: int) -> int | None:
        changed = changes.look(frame, now)
        if changed is not None and changed - start >= options.shortest_ms:
            return changed
        return now if now - start >= options.longest_ms else None

    return cut


class _Changes:
    def __init__(self, threshold: float, every: int) -> None:
        self._threshold = threshold
        self._every = every
        self._before: NDArray[np.uint8] | None = None
        self._held: list[tuple[int, Any]] = []

    def look(self, frame: Any, now: int) -> int | None:
        """The time of the first frame after a cut, once one has been seen."""
        self._held.append((now, frame))
        if len(self._held) < self._every and self._before is not None:
            return None
        picture, before = reduced(frame, _DETECTION_WIDTH), self._before
        found = None
        if before is not None and picture.shape != before.shape:
            found = now  # a stream may change its size on the way
        elif before is not None and change(picture, before) >= self._threshold:
            found = self._first(picture, before)
        self._before, self._held = picture, []
        return found

    def _first(self, after: NDArray[np.uint8], before: NDArray[np.uint8]) -> int:
        """Of the frames held, the first that is more like the one after the cut than like the one before."""
        for time_ms, frame in self._held[:-1]:
            between = reduced(frame, _DETECTION_WIDTH)
            if _distance(between, after) < _distance(between, before):
                return time_ms
        return self._held[-1][0]


def change(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean difference of hue, saturation and value, 0..255: PySceneDetect's measure of content, in two calls of OpenCV.

    one, other: uint8 [height, width, 3], blue, green, red, of the same size.
    """
    import cv2

    hsv = [cv2.cvtColor(picture, cv2.COLOR_BGR2HSV) for picture in (one, other)]
    return float(cv2.norm(hsv[0], hsv[1], cv2.NORM_L1)) / one.size


def _distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean()) if one.shape == other.shape else 255.0


def _as_given(boundaries_ms: tuple[int, ...]) -> _Cut:
    ascending = sorted(boundaries_ms)
    place = 0

    def cut(_: Any, now: int, start: int) -> int | None:
        nonlocal place
        found = None
        while place < len(ascending) and ascending[place] <= now:
            found = ascending[place] if ascending[place] > start else found
            place += 1
        return found

    return cut


def _written(frame: Any, time_ms: int, path: Path, options: VideoOptions) -> KeyFrame:
    _refuse_large(frame.width, frame.height)
    height, width = _write(frame, path, options.key_width, options.quality)
    reading = None
    if options.reading_width:
        reading = str(path.with_suffix(".large.jpg"))
        _write(frame, Path(reading), options.reading_width, _READING_QUALITY)
    return KeyFrame(str(path), time_ms, width, height, reading)


def _write(frame: Any, path: Path, side: int, quality: int) -> tuple[int, int]:
    """A JPEG of at most so many pixels a side; its height and width. Raises: UnreadableError."""
    import cv2

    scale = min(1.0, side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    image = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA").to_ndarray()
    # Phones film sideways and say so: what is kept stands as it is played.
    image = np.ascontiguousarray(np.rot90(image, round(getattr(frame, "rotation", 0) / 90)))
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise UnreadableError("a frame of the video cannot be written as a picture", "runtime")
    path.write_bytes(jpeg.tobytes())
    return image.shape[0], image.shape[1]


def _refuse_large(width: int, height: int) -> None:
    if width * height > _MOST_PIXELS:
        raise UnreadableError(
            f"the video's frames have {width} x {height} pixels; at most {_MOST_PIXELS // 1_000_000} million are read",
            "runtime",
        )
