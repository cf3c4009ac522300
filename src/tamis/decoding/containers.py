"""Files of sound and video, opened by FFmpeg's libraries with nothing to reach but the file itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tamis.decoding.unreadable import UnreadableError

# Play lists and the like are left out: they name other files and addresses, which FFmpeg would then open.
_FORMATS = (
    "aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "ape", "apng", "asf", "au", "avi", "caf", "dv", "eac3", "flac",
    "flv", "gif", "h264", "hevc", "ivf", "m4v", "matroska", "mov", "mp3", "mp4", "mpeg", "mpegts", "mpegvideo", "mxf",
    "nut", "ogg", "rm", "tta", "wav", "webm", "w64", "wv", "xwma",
)  # fmt: skip
_MOST_FAILURES = 200
"""Packets in a row that cannot be decoded, until the rest is given up."""


class Track:
    """One stream of a container, decoded as far as it goes.

    Raises: UnreadableError where there is no decoder for it.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        if stream.codec_context is None:
            raise UnreadableError("the file does not say how it is coded, or in a way that is not known here")
        self.container = container
        self.stream = stream
        self.damage: str | None = None
        self._bad = 0
        start = container.start_time
        self._origin_s = start / 1_000_000 if start is not None else 0.0

    def frames(self) -> Iterator[Any]:
        """What can be decoded; `damage` says afterwards what could not."""
        in_a_row = 0
        for packet in self._packets():
            frames = self._decoded(packet)
            in_a_row = in_a_row + 1 if frames is None else 0
            if in_a_row >= _MOST_FAILURES:
                self.damage = f"{in_a_row} packets in a row cannot be decoded; the rest was left"
                return
            yield from frames or ()
        if self._bad and self.damage is None:
            self.damage = f"{self._bad} packets cannot be decoded"

    def time_s(self, frame: Any) -> float | None:
        """On the file's clock, which is 0 where its first stream starts."""
        return None if frame.pts is None or frame.time is None else float(frame.time) - self._origin_s

    def _packets(self) -> Iterator[Any]:
        from av.error import FFmpegError

        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (FFmpegError, OSError, IndexError) as error:
                # IndexError: a stream that came up on the way.
                self.damage = f"the file breaks off: {_reason(error)}"
                return
            yield packet

    def _decoded(self, packet: Any) -> list[Any] | None:
        from av.error import FFmpegError

        try:
            return list(packet.decode())
        except (FFmpegError, ValueError):
            self._bad += 1
            return None


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The container. Raises: UnreadableError."""
    import av
    from av.error import FFmpegError

    if path.stat().st_size == 0:
        raise UnreadableError("the file is empty")
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(_FORMATS)}
    try:
        container = av.open(str(path), options=options, metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        raise UnreadableError(f"the file is no sound or video that can be read: {_reason(error)}") from error
    with container:
        yield container


def name_of(container: Any) -> str:
    """FFmpeg's short name of the format: the first where it has several."""
    return str(container.format.name).split(",")[0]


def video_streams(container: Any) -> list[Any]:
    """Without pictures that are attached to a sound, such as covers."""
    from av.stream import Disposition

    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
