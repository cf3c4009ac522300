"""Where a sound falls silent, and where it sounds without anybody speaking."""

from collections.abc import Iterator, Sequence

import numpy as np

from tamis.engine.ports.inference import Samples
from tamis.model.media_sound import SAMPLE_RATE

_FRAME_MS = 50
_FRAME = SAMPLE_RATE * _FRAME_MS // 1000
_BLOCK = _FRAME * 20 * 600
_BESIDE_SPEECH_S = 0.2
"""Words begin and end a little before and after the times that a speech model gives them."""

Span = tuple[float, float]
Quiet = np.ndarray[tuple[int], np.dtype[np.bool_]]


def pauses(samples: Samples, below_db: float, shortest_ms: int) -> list[int]:
    """Middles, in milliseconds, of all silences between sounds that last so long.

    samples: int16 or float32, mono, 16 kHz; read ten minutes at a time.  below_db: relative to full scale, negative.
    """
    quiet = np.concatenate([[False], _all_quiet(samples, below_db), [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    spans = edges.reshape(-1, 2) * _FRAME_MS
    whole_ms = len(samples) * 1000 // SAMPLE_RATE
    return [
        int(start + end) // 2
        for start, end in spans
        # Silence before the first sound and after the last one is between nothing.
        if end - start >= shortest_ms and start > 0 and end < whole_ms - _FRAME_MS
    ]


def sounds_between(
    samples: Samples, spoken: Sequence[Span], below_db: float, pause_s: float, shortest_s: float
) -> list[Span]:
    """Stretches in seconds that are neither speech nor silence, of at least so long, cut at pauses.

    samples: as above.  spoken: in seconds, ascending.
    """
    loud = np.flatnonzero(~_all_quiet(samples, below_db)) * _FRAME_MS / 1000
    found: list[Span] = []
    for start_s, end_s in _unspoken(spoken, len(samples) / SAMPLE_RATE):
        first, last = np.searchsorted(loud, [start_s, max(start_s, end_s - _FRAME_MS / 1000)])
        inside = loud[first:last]
        groups = np.split(inside, np.flatnonzero(np.diff(inside) > pause_s) + 1)
        found += [(float(group[0]), float(group[-1]) + _FRAME_MS / 1000) for group in groups if len(group)]
    return [(start_s, end_s) for start_s, end_s in found if end_s - start_s >= shortest_s]


def _unspoken(spoken: Sequence[Span], whole_s: float) -> Iterator[Span]:
    before_s = 0.0
    for start_s, end_s in spoken:
        yield before_s, start_s - _BESIDE_SPEECH_S
        before_s = max(before_s, end_s + _BESIDE_SPEECH_S)
    yield before_s, whole_s


def _all_quiet(samples: Samples, below_db: float) -> Quiet:
    """Of each frame."""
    blocks = [_quiet(samples[start : start + _BLOCK], below_db) for start in range(0, len(samples), _BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.bool_)


def _quiet(block: Samples, below_db: float) -> Quiet:
    scale = 32768.0 if block.dtype == np.int16 else 1.0
    sound = np.asarray(block, np.float32) / np.float32(scale)
    padded = np.pad(sound, (0, -len(sound) % _FRAME)).reshape(-1, _FRAME)
    power = np.square(padded).mean(axis=1)
    return np.asarray(power < 10 ** (below_db / 10))
