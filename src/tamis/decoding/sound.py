"""Any sound, or the sound of a video, to 16 kHz samples in a file."""

from io import BytesIO
from pathlib import Path
from typing import IO, Any, Self

from tamis.decoding.containers import Track, name_of, opened
from tamis.decoding.resampling import SAMPLE_BYTES, Resampling
from tamis.decoding.unreadable import UnreadableError
from tamis.model.media_sound import SAMPLE_RATE, Sound, SoundOptions

_GAP_S = 0.1
_MOST_IN_MEMORY = 30 * SAMPLE_RATE
"""Samples."""
_FEWEST_BYTES_A_SECOND = 50
"""Silence by the thriftiest codecs has more."""
_MOST_TAGS = 50
_LONGEST_TAG = 1_000


def decode_sound(path: Path, options: SoundOptions, work: Path) -> Sound:
    """The first sound track, streamed: a short one is answered, of a long one a file is left in `work`.

    Where the track starts late or pauses there is silence, so that a sample's place is its time in the file.
    Raises: UnreadableError where there is no sound, nothing of it can be decoded, or it is too long.
    """
    with opened(path) as container:
        if not container.streams.audio:
            raise UnreadableError("there is no sound in the file")
        _refuse_long(_claimed_s(container, path), options)
        stream = container.streams.audio[0]
        track = Track(container, stream)
        # Hardly a codec of sound gives a second thread anything to do, and each costs its start.
        stream.codec_context.thread_count = 1
        with _Samples(work / "sound.pcm") as samples:
            _write(track, samples, options)
            if samples.count == 0:
                raise UnreadableError(f"nothing of the sound can be decoded: {track.damage or 'it has no samples'}")
            pcm, file = samples.kept()
            return Sound(
                pcm=pcm,
                file=file,
                samples=samples.count,
                sample_rate=int(stream.sample_rate or 0),
                channels=int(stream.channels or 0),
                codec=str(stream.codec_context.name),
                container=name_of(container),
                tags=_tags({**container.metadata, **stream.metadata}),
                damage=track.damage,
            )


def _write(track: Track, samples: "_Samples", options: SoundOptions) -> None:
    """All from the start of the clock to the end of the track."""
    resampling = Resampling()
    for frame in track.frames():
        time_s = track.time_s(frame)
        if time_s is not None and time_s - samples.duration_s - resampling.waiting_s > _GAP_S:
            samples.add(resampling.taken())
            _refuse_long(time_s, options)
            samples.silence_until(round(time_s * SAMPLE_RATE))
        samples.add(resampling.give(frame))
        _refuse_long(samples.duration_s, options)
    samples.add(resampling.rest())


class _Samples:
    """What was decoded: in memory while it is short, in a file from then on. count: from the start of the clock."""

    def __init__(self, target: Path) -> None:
        self.count = 0
        self._target = target
        self._file: IO[bytes] = BytesIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def duration_s(self) -> float:
        return self.count / SAMPLE_RATE

    def add(self, pcm: bytes) -> None:
        self._make_room(self.count + len(pcm) // SAMPLE_BYTES)
        self._file.write(pcm)

    def silence_until(self, count: int) -> None:
        """A hole in the file: silence that takes no space."""
        self._make_room(count)
        self._file.seek(count * SAMPLE_BYTES)

    def kept(self) -> tuple[bytes, str | None]:
        """The samples, or where they are."""
        self._file.flush()
        return (self._file.getvalue(), None) if isinstance(self._file, BytesIO) else (b"", str(self._target))

    def _make_room(self, count: int) -> None:
        self.count = count
        if isinstance(self._file, BytesIO) and count > _MOST_IN_MEMORY:
            before, place = self._file.getvalue(), self._file.tell()
            self._file = self._target.open("wb")
            self._file.write(before)
            self._file.seek(place)


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
