"""Sound to passages, through the real decoder and the real models."""

from pathlib import Path

import numpy as np
import pytest

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.extraction import SourceItem
from tamis.extractors.audio_extractor import AudioExtractor, AudioParameters
from tamis.inference.models import LocalModels
from tamis.model.vector import Dense, FloatArray
from tests.extractors.media_world import decoding, extracted, failure, item, media_models
from tests.media_samples import samples, tone, write_sound, write_video
from tests.shared_data import shared

__all__ = ["decoding", "media_models"]

BIRDS = "data/tuxpaint_stamps/audio/en/animals/birds"


def talk(*names: str, every_s: float = 4.0) -> FloatArray:
    """Each spoken so many seconds after the one before."""
    long = np.zeros(int(len(names) * every_s * 16_000), np.float32)
    for place, name in enumerate(names):
        word = samples(shared(f"{BIRDS}/{name}.ogg"))
        start = int(place * every_s * 16_000)
        long[start : start + len(word)] = word
    return long


def test_passages_have_words_times_and_features(
    tmp_path: Path, decoding: DecoderPool, media_models: LocalModels
) -> None:
    write_sound(tmp_path / "talk.mp3", talk("blackbird", "turkey", "vulture"), "libmp3lame", 44_100)
    extractor = AudioExtractor(media_models, decoding)
    found = extracted(extractor, item("audio", tmp_path / "talk.mp3"), media_models)
    assert ["blackbird" in str(found[0].fields["text"]).lower(), len(found)] == [True, 3]
    for place, segment in enumerate(found):
        fields = segment.fields
        assert fields["start_time"] == pytest.approx(place * 4.0, abs=0.7)
        assert fields["start_ms"] == round(float(str(fields["start_time"])) * 1000)
        assert float(str(fields["end_time"])) < place * 4.0 + 2.0
        assert (fields["passage_index"], fields["passage_count"], fields["has_speech"]) == (place, 3, True)
        assert fields["transcription"] == fields["text"]
        assert set(segment.vectors) == {"embedding", "lexical", "sound_descriptor"}
    row = found[0].vectors["embedding"]
    assert isinstance(row, Dense)
    asked = media_models.embedder().embed_query(str(found[0].fields["text"]))
    assert float(row.values @ asked) == pytest.approx(1.0, abs=1e-4)


def test_a_long_pause_is_the_callers_choice(tmp_path: Path, decoding: DecoderPool, media_models: LocalModels) -> None:
    write_sound(tmp_path / "talk.wav", talk("blackbird", "turkey"), "pcm_s16le")
    extractor = AudioExtractor(media_models, decoding)
    [one] = extracted(
        extractor, item("audio", tmp_path / "talk.wav"), media_models, pause_s=10, run_sound_descriptor=False
    )
    assert "turkey" in str(one.fields["text"]).lower()
    assert set(one.vectors) == {"embedding", "lexical"}


def test_music_between_passages_is_found_by_how_it_sounds(
    tmp_path: Path, decoding: DecoderPool, media_models: LocalModels
) -> None:
    sound = talk("blackbird", "turkey", every_s=8.0)
    sound[4 * 16_000 : 8 * 16_000] = tone(440, 4.0)
    write_sound(tmp_path / "show.wav", sound, "pcm_s16le")
    extractor = AudioExtractor(media_models, decoding)
    first, music, last = extracted(extractor, item("audio", tmp_path / "show.wav"), media_models)
    assert [one.fields["has_speech"] for one in (first, music, last)] == [True, False, True]
    assert [one.fields["passage_index"] for one in (first, music, last)] == [0, 1, 2]
    assert (music.fields["start_time"], music.fields["end_time"]) == pytest.approx((4.0, 7.5), abs=0.5)
    assert set(music.vectors) == {"sound_descriptor"}
    assert {"text", "language"}.isdisjoint(music.fields)
    alike = media_models.acoustic().describe(tone(440, 2.0))
    rows = [one.vectors["sound_descriptor"] for one in (first, music, last)]
    assert int(np.argmax([alike @ row.values for row in rows if isinstance(row, Dense)])) == 1
    without = extracted(extractor, item("audio", tmp_path / "show.wav"), media_models, shortest_sound_s=None)
    assert len(without) == 2


def test_a_sound_without_speech_is_one_document(
    tmp_path: Path, decoding: DecoderPool, media_models: LocalModels
) -> None:
    write_video(tmp_path / "hum.mp4", [(9, 9, 9)] * 3, "libx264", sound=tone(220, 3.0))
    extractor = AudioExtractor(media_models, decoding)
    [one] = extracted(extractor, item("audio", tmp_path / "hum.mp4"), media_models)
    assert (one.fields["has_speech"], one.fields["start_time"], one.fields.get("text")) == (False, 0.0, None)
    assert one.fields["end_time"] == one.fields["duration_s"] == pytest.approx(3.0, abs=0.1)
    assert set(one.vectors) == {"sound_descriptor"}
    [plain] = extracted(extractor, item("audio", tmp_path / "hum.mp4"), media_models, run_transcription=False)
    assert "has_speech" not in plain.fields


def test_what_is_wrong_with_one_source_stays_with_it(
    tmp_path: Path, decoding: DecoderPool, media_models: LocalModels
) -> None:
    (tmp_path / "empty.wav").touch()
    write_sound(tmp_path / "long.wav", tone(300, 3.0), "pcm_s16le")
    extractor = AudioExtractor(media_models, decoding)
    assert "the file is empty" in failure(extractor, item("audio", tmp_path / "empty.wav"), media_models).message
    long = failure(extractor, item("audio", tmp_path / "long.wav"), media_models, longest_s=2)
    assert long.error_type == "runtime"
    assert "is no file" in failure(extractor, SourceItem("x", {}), media_models).message
    deaf = failure(AudioExtractor(media_models), item("audio", tmp_path / "long.wav"), media_models)
    assert "cannot be decoded here" in deaf.message


def test_parameters_have_the_contracts_names() -> None:
    assert AudioParameters.model_validate({"language": "en", "embedding_model": "m"}).model == "m"
    with pytest.raises(ValueError, match="passage_s"):
        AudioParameters.model_validate({"passage_s": 0})
