"""Where a sound falls silent."""

import numpy as np

from tamis.engine.ports.inference import Samples
from tamis.model.media_sound import SAMPLE_RATE

_FRAME_MS = 50
_FRAME = SAMPLE_RATE * _FRAME_MS // 1000
_BLOCK = _FRAME * 20 * 600


def pauses(samples: Samples, below_db: float, shortest_ms: int) -> list[int]:
    """Middles, in milliseconds, of all silences between sounds that last so long.

    samples: int16 or float32, mono, 16 kHz; read ten minutes at a time.  below_db: relative to full scale, negative.
    """
    blocks = (_quiet(samples[start : start + _BLOCK], below_db) for start in range(0, len(samples), _BLOCK))
    quiet = np.concatenate([[False], *blocks, [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    spans = edges.reshape(-1, 2) * _FRAME_MS
    whole_ms = len(samples) * 1000 // SAMPLE_RATE
    return [
        int(start + end) // 2
        for start, end in spans
        # Silence before the first sound and after the last one is between nothing.
        if end - start >= shortest_ms and start > 0 and end < whole_ms - _FRAME_MS
    ]


def _quiet(block: Samples, below_db: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    scale = 32768.0 if block.dtype == np.int16 else 1.0
    sound = np.asarray(block, np.float32) / np.float32(scale)
    padded = np.pad(sound, (0, -len(sound) % _FRAME)).reshape(-1, _FRAME)
    power = np.square(padded).mean(axis=1)
    return np.asarray(power < 10 ** (below_db / 10))
