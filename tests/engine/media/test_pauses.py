"""Silences between sounds."""

import numpy as np
import pytest

from tamis.engine.media.pauses import pauses
from tests.media_samples import tone

LOUD, QUIET = tone(300, 1.0), 0.001 * tone(300, 1.0)


def test_pauses_are_between_sounds() -> None:
    sound = np.concatenate([QUIET, LOUD, QUIET, LOUD, QUIET[:4800], LOUD, QUIET])
    assert pauses(sound, -40, 500) == [pytest.approx(2500, abs=50)]
    assert len(pauses((sound * 32767).astype(np.int16), -40, 200)) == 2
    assert pauses(sound, -80, 200) == []


def test_silence_alone_and_nothing_have_no_pauses() -> None:
    for nothing in (np.zeros(0, np.float32), np.zeros(50_000, np.int16), LOUD):
        assert pauses(nothing, -40, 100) == []
