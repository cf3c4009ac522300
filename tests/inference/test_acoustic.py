"""Sounds that sound alike lie near each other."""

import numpy as np
import pytest

from tamis.inference.acoustic import LogMelStatistics
from tamis.model.vector import FloatArray
from tests.media_samples import samples
from tests.shared_data import shared

DESCRIBER = LogMelStatistics()
RATE = 16_000


def _tone(hertz: float, seconds: float = 2.0) -> FloatArray:
    return (0.3 * np.sin(np.arange(int(seconds * RATE)) * 2 * np.pi * hertz / RATE)).astype(np.float32)


def test_rows_are_of_unit_length_whatever_the_sound() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 3 * RATE).astype(np.float32)
    for sound in (np.zeros(0, np.float32), np.zeros(5, np.int16), np.zeros(RATE, np.float32), noise, _tone(300)):
        row = DESCRIBER.describe(sound)
        assert row.shape == (DESCRIBER.info.dimensions,)
        assert row.dtype == np.float32
        assert float(np.linalg.norm(row)) == pytest.approx(1.0, abs=1e-5)


def test_loudness_length_and_sample_type_do_not_count_but_pitch_does() -> None:
    noise = np.random.default_rng(2).normal(0, 0.01, 6 * RATE).astype(np.float32)
    sound = _tone(440, 6.0) + noise
    row = DESCRIBER.describe(sound)
    assert float(row @ DESCRIBER.describe(0.3 * sound)) > 0.99
    assert float(row @ DESCRIBER.describe(sound[: 3 * RATE])) > 0.99
    assert float(row @ DESCRIBER.describe((sound * 32767).astype(np.int16))) > 0.99
    assert float(row @ DESCRIBER.describe(_tone(2000, 6.0) + noise)) < 0.8


def test_long_sounds_are_read_in_blocks() -> None:
    minute = np.random.default_rng(3).normal(0, 0.1, 61 * RATE).astype(np.float32)
    np.testing.assert_allclose(DESCRIBER.describe(minute), DESCRIBER.describe(minute[: 60 * RATE]), atol=0.02)


def test_changed_copies_of_real_sounds_are_found() -> None:
    """Each sound effect, cut short, made quieter and mixed with noise, among all of them."""
    paths = sorted(shared("data/tuxpaint_stamps/audio/sound").rglob("*.ogg"))
    sounds = [samples(path) for path in paths]
    rows = np.stack([DESCRIBER.describe(sound) for sound in sounds])
    found = [int(np.argmax(rows @ DESCRIBER.describe(_changed(sound)))) for sound in sounds]
    right = sum(_same(sounds[place], sounds[index]) for index, place in enumerate(found))
    assert right / len(sounds) >= 0.9


def _changed(sound: FloatArray) -> FloatArray:
    kept = sound[len(sound) // 10 : len(sound) - len(sound) // 10]
    noise = np.random.default_rng(len(sound)).normal(0, 1, len(kept)).astype(np.float32)
    return np.asarray(0.5 * kept + 0.02 * float(np.abs(kept).mean()) * noise, np.float32)


def _same(one: FloatArray, other: FloatArray) -> bool:
    """Some stamps share a recording."""
    return len(one) == len(other) and bool(np.allclose(one, other))
