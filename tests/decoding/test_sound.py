"""Any sound to 16 kHz samples: containers, codecs, clocks, limits and damage."""

import struct
from pathlib import Path

import numpy as np
import pytest

from tamis.decoding.sound import decode_sound
from tamis.decoding.unreadable import UnreadableError
from tamis.engine.media.sounds import samples_of
from tamis.model.media_sound import SAMPLE_RATE, Sound, SoundOptions
from tamis.model.vector import FloatArray
from tests.media_samples import samples, tone, write_sound, write_video
from tests.shared_data import shared


def decoded(path: Path, work: Path, **options: float) -> tuple[Sound, FloatArray]:
    found = decode_sound(path, SoundOptions(**options), work)
    return found, samples_of(found).astype(np.float32) / np.float32(32768)


def pitch(sound: FloatArray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * SAMPLE_RATE / len(sound))


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.wav", "pcm_s16le", 44_100, "stereo"), ("a.wav", "pcm_u8", 8_000, "mono"),
        ("a.flac", "flac", 96_000, "stereo"), ("a.mp3", "libmp3lame", 44_100, "stereo"),
        ("a.ogg", "libopus", 48_000, "5.1"), ("a.m4a", "aac", 22_050, "mono"), ("a.mkv", "ac3", 48_000, "stereo"),
        ("a.aiff", "pcm_s24be", 32_000, "mono"),
    ],
)  # fmt: skip
def test_containers_and_codecs(tmp_path: Path, name: str, codec: str, rate: int, layout: str) -> None:
    write_sound(tmp_path / name, tone(440, 2.0), codec, rate, layout)
    found, sound = decoded(tmp_path / name, tmp_path)
    assert found.duration_s == pytest.approx(2.0, abs=0.1)
    assert len(sound) == found.samples
    assert pitch(sound) == pytest.approx(440, abs=1)
    assert (found.sample_rate, found.damage) == (rate, None)
    assert float(np.abs(sound).max()) == pytest.approx(0.3, abs=0.25)


def test_real_recordings_are_read_as_the_plainest_reader_does(tmp_path: Path) -> None:
    path = shared("data/tuxpaint_stamps/audio/en/animals/birds/blackbird.ogg")
    found, sound = decoded(path, tmp_path)
    plainly = samples(path)
    assert abs(len(sound) - len(plainly)) < 100
    both = min(len(sound), len(plainly))
    np.testing.assert_allclose(sound[:both], np.clip(plainly[:both], -1, 1), atol=2e-3)
    assert (found.codec, found.container, found.channels) == ("vorbis", "ogg", 1)


def test_the_sound_of_a_video_keeps_its_place_in_time(tmp_path: Path) -> None:
    """Two seconds of silence before the tone, in containers whose clocks do not start at 0."""
    sound = np.concatenate([np.zeros(2 * SAMPLE_RATE, np.float32), tone(440, 1.0)])
    for name, codec in (("a.mp4", "libx264"), ("a.ts", "mpeg2video")):
        write_video(tmp_path / name, [(200, 0, 0)] * 3, codec, fps=25, sound=sound)
        _, heard = decoded(tmp_path / name, tmp_path)
        assert int(np.argmax(np.abs(heard) > 0.1)) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)


def test_a_track_that_starts_late_is_preceded_by_silence(tmp_path: Path) -> None:
    import av

    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        early = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, 16_000, 3 * 16_000):
            frame = av.AudioFrame.from_ndarray((tone(440, 1.0) * 32767).astype(np.int16)[None, :], "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(early.encode(frame))
    found, sound = decoded(path, tmp_path)
    assert found.duration_s == pytest.approx(4.0, abs=0.01)
    assert float(np.abs(sound[int(2.1 * SAMPLE_RATE) : int(2.9 * SAMPLE_RATE)]).max()) == 0.0
    assert float(np.abs(sound[int(3.1 * SAMPLE_RATE) :]).max()) > 0.2


@pytest.mark.parametrize(("seconds", "is_kept_in_a_file"), [(29.0, False), (31.0, True)])
def test_only_a_long_sound_is_left_in_a_file(tmp_path: Path, seconds: float, is_kept_in_a_file: bool) -> None:
    sound = np.concatenate([tone(440, 1.0), np.zeros(round((seconds - 2) * SAMPLE_RATE), np.float32), tone(880, 1.0)])
    write_sound(tmp_path / "a.flac", sound, "flac")
    found, heard = decoded(tmp_path / "a.flac", tmp_path)
    assert (found.file is not None, bool(found.pcm)) == (is_kept_in_a_file, not is_kept_in_a_file)
    assert found.samples == len(heard) == len(sound)
    np.testing.assert_allclose(heard, sound, atol=1e-3)
    assert not (tmp_path / "sound.pcm").exists()  # a map of it needs no name


def test_a_track_that_starts_very_late_takes_no_memory(tmp_path: Path) -> None:
    import av

    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, 900 * 16_000):
            frame = av.AudioFrame.from_ndarray((tone(440, 1.0) * 32767).astype(np.int16)[None, :], "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))
    found = decode_sound(path, SoundOptions(), tmp_path)
    assert found.duration_s == pytest.approx(901.0, abs=0.01)
    assert Path(found.file or "").stat().st_blocks * 512 < 200_000
    heard = samples_of(found)
    assert (len(heard), int(np.abs(heard[-SAMPLE_RATE:]).max()) > 5000) == (found.samples, True)


def test_how_long_it_says_it_is_counts_only_where_there_is_so_much_of_it(tmp_path: Path) -> None:
    path = tmp_path / "lies.mkv"
    write_sound(path, tone(300, 1.0), "libopus")
    written = path.read_bytes()
    place = written.index(b"\x44\x89\x88") + 3  # Duration, a double, in milliseconds
    path.write_bytes(written[:place] + struct.pack(">d", 1e12) + written[place + 8 :])
    found, _ = decoded(path, tmp_path)
    assert found.duration_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("name", "codec"), [("a.ogg", "libopus"), ("a.mp3", "libmp3lame"), ("a.wav", "pcm_s16le")])
def test_a_file_cut_short_gives_what_is_there(tmp_path: Path, name: str, codec: str) -> None:
    write_sound(tmp_path / name, tone(300, 4.0), codec)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    found, sound = decoded(tmp_path / name, tmp_path)
    assert 1.0 < found.duration_s < 3.5
    assert pitch(sound) == pytest.approx(300, abs=2)


def test_what_cannot_be_heard_says_why(tmp_path: Path) -> None:
    write_video(tmp_path / "mute.mp4", [(0, 0, 200)], "libx264")
    write_sound(tmp_path / "long.wav", tone(300, 3.0), "pcm_s16le")
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.mp3").write_text("this is no sound " * 500)
    (tmp_path / "list.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{tmp_path}/long.wav\n#EXT-X-ENDLIST\n"
    )
    (tmp_path / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile '{tmp_path}/long.wav'\n")
    for name, reason, kind in (
        ("mute.mp4", "there is no sound", "validation"),
        ("long.wav", "at most 2 s", "runtime"),
        ("empty.mp3", "the file is empty", "validation"),
        ("text.mp3", "no sound or video that can be read|nothing of the sound", "validation"),
        ("list.m3u8", "no sound or video that can be read", "validation"),
        ("list.ffconcat", "no sound or video that can be read", "validation"),
    ):
        with pytest.raises(UnreadableError, match=reason) as caught:
            decode_sound(tmp_path / name, SoundOptions(longest_s=2.0), tmp_path)
        assert caught.value.error_type == kind
