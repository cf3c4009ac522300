"""Any sound, or the sound of a video, to 16 kHz samples in a file."""

from pathlib import Path
from typing import IO, Any

from tamis.decoding.containers import Track, name_of, opened
from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_sound import SAMPLE_RATE, Sound, SoundOptions

_SAMPLE_BYTES = 2
_GAP_S = 0.1
_FEWEST_BYTES_A_SECOND = 50
"""Silence by the thriftiest codecs has more."""
_MOST_TAGS = 50
_LONGEST_TAG = 1_000


def decode_sound(path: Path, options: SoundOptions, work: Path) -> Sound:
    """The first sound track, streamed into `work`: memory does not grow with its length.

    Where the track starts late or pauses there is silence, so that a sample's place is its time in the file.
    Raises: UnreadableError where there is no sound, nothing of it can be decoded, or it is too long.
    """
    with opened(path) as container:
        if not container.streams.audio:
            raise UnreadableError("there is no sound in the file")
        _refuse_long(_claimed_s(container, path), options)
        stream = container.streams.audio[0]
        track = Track(container, stream)
        target = work / "sound.pcm"
        with target.open("wb") as file:
            samples = _write(track, file, options)
        if samples == 0:
            raise UnreadableError(f"nothing of the sound can be decoded: {track.damage or 'it has no samples'}")
        return Sound(
            pcm=str(target),
            samples=samples,
            sample_rate=int(stream.sample_rate or 0),
            channels=int(stream.channels or 0),
            codec=str(stream.codec_context.name),
            container=name_of(container),
            tags=_tags({**container.metadata, **stream.metadata}),
            damage=track.damage,
        )


def _write(track: Track, file: IO[bytes], options: SoundOptions) -> int:
    """Returns the samples from the start of the clock to the end of the track."""
    resampling = _Resampling()
    for frame in track.frames():
        time_s = track.time_s(frame)
        place = file.tell() // _SAMPLE_BYTES
        if time_s is not None and time_s * SAMPLE_RATE - place > _GAP_S * SAMPLE_RATE:
            _refuse_long(time_s, options)
            # A hole in the file: silence that takes no space.
            file.seek(round(time_s * SAMPLE_RATE) * _SAMPLE_BYTES)
        file.write(resampling.samples(frame))
        _refuse_long(file.tell() / _SAMPLE_BYTES / SAMPLE_RATE, options)
    file.write(resampling.rest())
    return file.tell() // _SAMPLE_BYTES


class _Resampling:
    """To 16 kHz, mono; set up anew where a stream changes its format on the way."""

    def __init__(self) -> None:
        self._format: tuple[Any, ...] | None = None
        self._resampler: Any = None

    def samples(self, frame: Any) -> bytes:
        import av

        format = (frame.format.name, frame.layout.name, frame.sample_rate)
        before = b""
        if format != self._format:
            before = self.rest()
            self._format = format
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        # Times are kept by the place in the file; the resampler would take odd ones for a change of the stream.
        frame.pts = None
        return before + _bytes(self._resampler.resample(frame))

    def rest(self) -> bytes:
        return b"" if self._resampler is None else _bytes(self._resampler.resample(None))


def _bytes(frames: list[Any]) -> bytes:
    # A plane may be longer than what is in it.
    return b"".join(bytes(frame.planes[0])[: frame.samples * _SAMPLE_BYTES] for frame in frames)


def _claimed_s(container: Any, path: Path) -> float:
    """How long the file says it is; 0 where it is too small for that, as when its last time stamp is a broken one."""
    claimed_s = float(container.duration or 0) / 1_000_000
    return claimed_s if path.stat().st_size >= claimed_s * _FEWEST_BYTES_A_SECOND else 0.0


def _refuse_long(duration_s: float, options: SoundOptions) -> None:
    if duration_s > options.longest_s:
        raise UnreadableError(
            f"the sound lasts {duration_s:.0f} s or more; at most {options.longest_s:.0f} s are read", "runtime"
        )


def _tags(found: dict[str, str]) -> dict[str, str]:
    kept = list(found.items())[:_MOST_TAGS]
    return {key.lower()[:_LONGEST_TAG]: value[:_LONGEST_TAG] for key, value in kept}
