"""Sound as the decoder hands it over, and what is said in it."""

from dataclasses import dataclass

SAMPLE_RATE = 16_000
"""Of all decoded sound: what speech models read."""


@dataclass(frozen=True, slots=True)
class SoundOptions:
    """longest_s: a sound that lasts longer is refused as soon as that is seen."""

    longest_s: float = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded sound track.

    pcm: of a short sound, the samples: little-endian int16, mono, 16 kHz, the first at the start of the file's clock.
    file: of a long one, the path of a file of them.
    sample_rate, channels, codec, container: of the original.
    damage: what could not be read, where something could not.
    """

    pcm: bytes
    file: str | None
    samples: int
    sample_rate: int
    channels: int
    codec: str
    container: str
    tags: dict[str, str]
    damage: str | None = None

    @property
    def duration_s(self) -> float:
        return self.samples / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Word:
    """text: with the punctuation on it, without spaces around it.  probability: the model's own, 0..1."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said in one breath, about a sentence."""

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """utterances: in the order of time.  speech_s: how much of the sound was taken for speech."""

    utterances: tuple[Utterance, ...]
    language: str
    speech_s: float
