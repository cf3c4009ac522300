"""Sound as a row of numbers without a learned model: which frequencies are how loud, and how that changes."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tamis.engine.media.sounds import DIMENSIONS, MODEL
from tamis.engine.ports.inference import ModelInfo, Samples
from tamis.model.media_sound import SAMPLE_RATE
from tamis.model.vector import FloatArray

_BANDS = DIMENSIONS // 3
_FRAME = 1024
_HOP = 512
_FRAMES_AT_ONCE = 8
_LOWEST_HZ = 40.0
_BLOCK = 60 * SAMPLE_RATE
_FLOOR = 1e-4
"""Of the sound's own mean power: 40 decibels below it, hiss and the coder's cut-offs do not count."""
_RECIPE = f"log-mel mean, deviation, change; {_BANDS} bands, {_FRAME}/{_HOP} at {SAMPLE_RATE}, floor {_FLOOR}; 1"


class LogMelStatistics:
    """An AcousticDescriber: of 48 mel bands the mean level, its spread and its change from frame to frame.

    Levels are in decibels relative to the sound's own power, so loudness does not count. Finds recordings that sound
    alike, a trimmed or recompressed copy first; knows nothing of what makes the sound.  Safe for threads.
    Cost: one core describes an hour in a second.
    """

    def __init__(self) -> None:
        version = hashlib.sha256(_RECIPE.encode()).hexdigest()[:12]
        self.info = ModelInfo(MODEL, version, DIMENSIONS, 0, "Apache-2.0")
        self._bank = _mel_bank()
        self._taper = np.hanning(_FRAME).astype(np.float32)

    def describe(self, samples: Samples) -> FloatArray:
        """float32 [dim], unit length. samples: mono, 16 kHz. A silent or empty sound gives a row all the same."""
        total, squares, moved = np.zeros(_BANDS), np.zeros(_BANDS), np.zeros(_BANDS)
        frames = 0
        for levels in self._levels(samples):
            total += levels.sum(axis=0)
            squares += np.square(levels).sum(axis=0)
            moved += np.abs(np.diff(levels, axis=0)).sum(axis=0)
            frames += len(levels)
        mean = total / frames
        spread = np.sqrt(np.maximum(squares / frames - np.square(mean), 0.0))
        # Parts of like weight: levels differ by tens of decibels, spreads and changes by a few.
        parts = (mean - mean.mean(), 2 * (spread - spread.mean()), 2 * (moved / frames - (moved / frames).mean()))
        row = np.concatenate(parts)
        norm = float(np.linalg.norm(row))
        if norm < 1e-6:
            row, norm = np.ones_like(row), float(np.sqrt(len(row)))
        return np.asarray(row / norm, dtype=np.float32)

    def _levels(self, samples: Samples) -> Iterator[NDArray[np.float64]]:
        """Decibels [frames, bands], a minute at a time."""
        power_of_noise = float(np.square(self._taper).sum())
        scale = np.float32(1.0 / _root_mean_square(samples))
        for block in _blocks(samples):
            padded = np.pad(block * scale, (0, max(0, _FRAME - len(block))))
            framed = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
            power = np.square(np.abs(np.fft.rfft(framed * self._taper, axis=1))) / power_of_noise
            yield 10 * np.log10(self._banded(power) + _FLOOR)

    def _banded(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """[frames, bins] to [frames, bands], a few frames at a time.

        Over more of them OpenBLAS wakes its threads, which wait for each other longer than one takes for all of it.
        """
        whole = len(power) // _FRAMES_AT_ONCE * _FRAMES_AT_ONCE
        together = power[:whole].reshape(-1, _FRAMES_AT_ONCE, power.shape[1]) @ self._bank
        return np.concatenate([together.reshape(whole, _BANDS), power[whole:] @ self._bank])


def _blocks(samples: Samples) -> Iterator[FloatArray]:
    """At least one, which may be empty."""
    for start in range(0, max(len(samples), 1), _BLOCK):
        yield np.asarray(samples[start : start + _BLOCK], np.float32)


def _root_mean_square(samples: Samples) -> float:
    total = sum(float(np.square(block, dtype=np.float64).sum()) for block in _blocks(samples))
    return max(float(np.sqrt(total / max(len(samples), 1))), 1e-9)


def _mel_bank() -> NDArray[np.float64]:
    """Triangles [bins, bands], evenly spread on the mel scale (O'Shaughnessy 1987), each of sum 1."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    low = 2595 * np.log10(1 + _LOWEST_HZ / 700)
    edges = 700 * (10 ** (np.linspace(low, top, _BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)[:, None]
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    bank = np.maximum(0.0, np.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)))
    # The lowest bands are narrower than a bin: they take the nearest one.
    nearest = np.abs(bins - middle).argmin(axis=0)
    for band in np.flatnonzero(bank.sum(axis=0) < 1e-9):
        bank[nearest[band], band] = 1.0
    return np.asarray(bank / bank.sum(axis=0))
