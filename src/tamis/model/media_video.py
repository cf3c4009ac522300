"""Video as the decoder hands it over: stretches of time, each with a frame that stands for it."""

from dataclasses import dataclass
from typing import Literal

Split = Literal["scene", "time", "given"]


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How a video falls into shots.

    split: 'scene' cuts where the picture changes, 'time' every `interval_ms`, 'given' at `boundaries_ms`.
    threshold: mean change of hue, saturation and brightness between two frames, 0..255, that is a cut.
    shortest_ms: two cuts are at least so far apart.  longest_ms: a longer shot is cut there, too.
    key_width: of the key frames in pixels, at most, as is their height.  quality: of their JPEG, 1..100.
    reading_width: of a second, larger picture of each, in which text is read; 0 makes none.
    most_shots, longest_s: a video beyond is refused.
    """

    split: Split = "scene"
    threshold: float = 27.0
    interval_ms: int = 10_000
    boundaries_ms: tuple[int, ...] = ()
    shortest_ms: int = 600
    longest_ms: int = 120_000
    key_width: int = 640
    quality: int = 85
    reading_width: int = 0
    most_shots: int = 5_000
    longest_s: float = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """file: path of the JPEG.  time_ms: where in the video it is shown; between a third and two thirds of the shot.

    reading: path of the larger one, where it was asked for.
    """

    file: str
    time_ms: int
    width: int
    height: int
    reading: str | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """[start_ms, end_ms) on the video's clock, which is 0 at its start."""

    start_ms: int
    end_ms: int
    key: KeyFrame


@dataclass(frozen=True, slots=True)
class Film:
    """has_sound: there is a sound track, too.  damage: what could not be read, where something could not."""

    shots: tuple[Shot, ...]
    duration_ms: int
    frames: int
    fps: float
    width: int
    height: int
    codec: str
    container: str
    has_sound: bool
    damage: str | None = None
