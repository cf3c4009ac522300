"""Speech to text by the real model, on recordings whose words and times are known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tamis.errors import ModelMissingError, UnknownModelError
from tamis.inference import speech
from tamis.inference.models import LocalModels
from tamis.model.vector import FloatArray
from tests.media_samples import SPOKEN, samples, word_errors
from tests.shared_data import shared

RATE = 16_000


def spoken(*names: str) -> list[FloatArray]:
    return [samples(shared(f"data/tuxpaint_stamps/audio/en/{name}.ogg")) for name in names]


def spread(parts: Sequence[FloatArray], every_s: float) -> FloatArray:
    """The parts at 0, every_s, 2 * every_s ..., silence between."""
    long = np.zeros(int(every_s * RATE) * len(parts), np.float32)
    for place, part in enumerate(parts):
        start = int(place * every_s * RATE)
        long[start : start + len(part)] = part
    return long


def test_words_and_their_times(models: LocalModels) -> None:
    long = spread(spoken("animals/birds/blackbird", "animals/birds/penguin", "animals/birds/vulture"), 4.0)
    found = models.transcriber().transcribe((long * 32767).astype(np.int16))
    words = [word for utterance in found.utterances for word in utterance.words]
    assert [word.text.strip(".,!").lower() for word in words] == ["blackbird", "penguin", "vulture"]
    for place, word in enumerate(words):
        assert 4.0 * place - 0.6 <= word.start_s < word.end_s <= 4.0 * place + 2.0
        assert 0 < word.probability <= 1
    assert found.language == "en"
    assert 1.0 < found.speech_s < 9.0


def test_a_long_sound_is_read_in_windows(models: LocalModels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_WINDOW_S", 6)
    monkeypatch.setattr(speech, "_LOOK_BACK_S", 4)
    long = spread(spoken("animals/birds/turkey", "animals/birds/owl", "animals/birds/duck"), 4.0)
    found = models.transcriber().transcribe(long)
    assert [round(one.start_s / 4) for one in found.utterances] == [0, 1, 2]
    assert "turkey" in found.utterances[0].text.lower()


def test_nothing_said_is_no_words(models: LocalModels) -> None:
    transcriber = models.transcriber()
    for quiet in (np.zeros(0, np.float32), np.zeros(3 * RATE, np.float32), _tone(3.0)):
        found = transcriber.transcribe(quiet)
        assert (found.utterances, found.speech_s) == ((), 0.0)


def test_word_error_rate_on_a_fixed_part_of_real_recordings(models: LocalModels) -> None:
    transcriber = models.transcriber("tiny.en")
    heard = [" ".join(one.text for one in transcriber.transcribe(sound).utterances) for sound in spoken(*SPOKEN)]
    assert word_errors(list(SPOKEN.values()), heard) <= 0.4


def test_a_language_that_the_model_does_not_know_is_refused(models: LocalModels) -> None:
    with pytest.raises(UnknownModelError, match="does not understand 'de'"):
        models.transcriber().transcribe(np.zeros(10, np.float32), "de")


def test_what_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    empty = LocalModels(None, tmp_path, downloads=False)
    with pytest.raises(ModelMissingError, match=r"model.bin.*downloads are off.*TAMIS_MODEL_DIR"):
        empty.transcriber()
    with pytest.raises(UnknownModelError, match=r"known: whisper-tiny\.en"):
        empty.transcriber("whisper-huge")


def test_a_folder_is_a_speech_model_by_its_name(models: LocalModels, tmp_path: Path) -> None:
    models.transcriber()
    for file in next(status for status in models.inspect() if status.model.name == "whisper-tiny.en").files:
        assert file.path is not None
        (tmp_path / "me" / "mine").mkdir(parents=True, exist_ok=True)
        (tmp_path / "me" / "mine" / file.artifact.name).symlink_to(file.path)
    offline = LocalModels(tmp_path, tmp_path / "cache", downloads=False, threads=1)
    assert offline.transcriber("mine").info.name == "me/mine"
    assert offline.transcriber("mine").languages == ("en",)


def test_bytes_that_are_no_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / "bad" / name).write_bytes(b"{}")
    with pytest.raises(ModelMissingError, match="bad cannot be loaded"):
        LocalModels(tmp_path, downloads=False).transcriber("bad")


def _tone(seconds: float) -> FloatArray:
    return (0.3 * np.sin(np.arange(int(seconds * RATE)) * 2 * np.pi * 440 / RATE)).astype(np.float32)
