"""Silences between sounds."""

import numpy as np
import pytest

from tamis.engine.media.pauses import pauses, sounds_between
from tests.media_samples import tone

LOUD, QUIET = tone(300, 1.0), 0.001 * tone(300, 1.0)


def test_pauses_are_between_sounds() -> None:
    sound = np.concatenate([QUIET, LOUD, QUIET, LOUD, QUIET[:4800], LOUD, QUIET])
    assert pauses(sound, -40, 500) == [pytest.approx(2500, abs=50)]
    assert len(pauses((sound * 32767).astype(np.int16), -40, 200)) == 2
    assert pauses(sound, -80, 200) == []


def test_sounds_between_speech_are_found_and_cut_at_pauses() -> None:
    music = np.tile(LOUD, 4)
    silence = np.zeros(3 * 16_000, np.float32)
    sound = np.concatenate([silence, LOUD, music, silence, music, LOUD, silence, LOUD])
    spoken = [(3.0, 4.0), (15.0, 16.0)]
    assert sounds_between(sound, spoken, -40, 2.0, 3.0) == [
        pytest.approx((4.2, 8.0), abs=0.06), pytest.approx((11.0, 14.8), abs=0.06),
    ]  # fmt: skip
    assert len(sounds_between(sound, spoken, -40, 3.5, 3.0)) == 1
    assert sounds_between(sound, spoken, -40, 2.0, 4.0) == []
    assert len(sounds_between(sound, spoken, -40, 2.0, 0.5)) == 3
    assert sounds_between(sound[:0], [], -40, 2.0, 0.5) == []
    assert sounds_between(sound, [(0.0, 30.0), (1.0, 2.0)], -40, 2.0, 0.5) == []


def test_silence_alone_and_nothing_have_no_pauses() -> None:
    for nothing in (np.zeros(0, np.float32), np.zeros(50_000, np.int16), LOUD):
        assert pauses(nothing, -40, 100) == []
