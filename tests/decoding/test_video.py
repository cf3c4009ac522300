"""Videos to shots and key frames: against ffmpeg on a real one, against what was drawn on made ones."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scenedetect import ContentDetector, FrameTimecode

from tamis.decoding.unreadable import UnreadableError
from tamis.decoding.video import change, decode_video
from tamis.model.media_video import Film, Shot, VideoOptions
from tests.media_samples import tone as a_tone
from tests.media_samples import write_sound, write_video
from tests.shared_data import shared

RED, GREEN, BLUE = (220, 120, 60), (20, 80, 20), (60, 160, 240)
# ffmpeg -i big-buck-bunny-480p-30s.mp4 -vf "select='gt(scene,0.3)',showinfo" -f null -
FFMPEG_CUTS_MS = [11_875, 15_750, 23_042]


def film(path: Path, work: Path, **options: Any) -> Film:
    return decode_video(path, VideoOptions(**options), work)


def starts(found: Film) -> list[int]:
    return [shot.start_ms for shot in found.shots]


def picture_of(shot: Shot) -> NDArray[np.uint8]:
    read = cv2.imread(shot.key.file)
    assert read is not None
    return np.asarray(read[:, :, ::-1], np.uint8)


def test_the_shots_of_a_real_film_are_ffmpegs(tmp_path: Path) -> None:
    found = film(shared("data/videos/big-buck-bunny-480p-30s.mp4"), tmp_path)
    two_frames_ms = 2 * 1000 / found.fps
    assert starts(found)[1:] == pytest.approx(FFMPEG_CUTS_MS, abs=two_frames_ms)
    assert (found.frames, found.fps, found.width, found.height) == (720, 24.0, 854, 480)
    assert (found.codec, found.has_sound, found.damage) == ("h264", True, None)
    assert found.duration_ms == 30_000
    for shot in found.shots:
        length = shot.end_ms - shot.start_ms
        assert shot.start_ms + 0.3 * length <= shot.key.time_ms <= shot.start_ms + 0.7 * length
        picture = picture_of(shot)
        assert picture.shape == (360, 640, 3)
        assert (shot.key.width, shot.key.height) == (640, 360)


def test_a_camera_that_stands_still_films_one_shot(tmp_path: Path) -> None:
    found = film(shared("data/videos/car-detection.mp4"), tmp_path)
    assert [(shot.start_ms, shot.end_ms) for shot in found.shots] == [(0, found.duration_ms)]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"), ("a.mkv", "libx265"), ("a.webm", "libvpx-vp9"), ("a.avi", "mpeg4"),
        ("a.ts", "mpeg2video"), ("a.gif", "gif"),
    ],
)  # fmt: skip
def test_containers_and_codecs(tmp_path: Path, name: str, codec: str) -> None:
    fps = 25 if codec == "mpeg2video" else 10
    write_video(tmp_path / name, [RED, GREEN, BLUE], codec, fps=fps)
    found = film(tmp_path / name, tmp_path)
    assert starts(found) == pytest.approx([0, 1000, 2000], abs=45)
    assert found.duration_ms == pytest.approx(3000, abs=105)
    for shot, colour in zip(found.shots, (RED, GREEN, BLUE), strict=True):
        np.testing.assert_allclose(np.median(picture_of(shot), axis=(0, 1)), colour, atol=30)


def test_intervals_and_given_boundaries(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, [RED, GREEN, BLUE], "libx264")
    by_time = film(path, tmp_path, split="time", interval_ms=1250)
    assert [(shot.start_ms, shot.end_ms) for shot in by_time.shots] == [(0, 1250), (1250, 2500), (2500, 3000)]
    given = film(path, tmp_path, split="given", boundaries_ms=(2222, 0, 410, 99_000))
    assert [(shot.start_ms, shot.end_ms) for shot in given.shots] == [(0, 410), (410, 2222), (2222, 3000)]
    for shot in (*by_time.shots, *given.shots):
        assert shot.start_ms <= shot.key.time_ms < shot.end_ms


def test_shots_are_neither_too_short_nor_too_long(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, [RED, GREEN, BLUE] * 3, "libx264", seconds=0.3)
    flashing = film(path, tmp_path, shortest_ms=500)
    assert all(shot.end_ms - shot.start_ms >= 500 for shot in flashing.shots[:-1])
    write_video(path, [RED], "libx264", seconds=3)
    assert starts(film(path, tmp_path, longest_ms=1000)) == [0, 1000, 2000]


def test_the_measure_of_a_cut_is_pyscenedetects() -> None:
    dice = np.random.default_rng(1)
    pictures = [dice.integers(0, most, (54, 96, 3), np.uint8) for most in (256, 60, 200)]
    detector = ContentDetector(threshold=0.0, min_scene_len=0)
    for one, other in pairwise(pictures):
        theirs = [detector._calculate_frame_score(FrameTimecode(0, 25.0), picture) for picture in (one, other)][1]
        assert change(other, one) == pytest.approx(theirs)


def test_the_threshold_decides(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, [(100, 100, 100), (140, 140, 140)], "libx264")
    assert len(film(path, tmp_path).shots) == 1
    assert len(film(path, tmp_path, threshold=8.0).shots) == 2


def test_a_film_cut_short_gives_what_is_there_or_a_reason(tmp_path: Path) -> None:
    for name, codec in (("a.mkv", "libx264"), ("a.ts", "mpeg2video"), ("a.mp4", "libx264")):
        write_video(tmp_path / name, [RED, GREEN, BLUE, RED], codec, fps=25, seconds=2)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    for name in ("a.mkv", "a.ts"):
        found = film(tmp_path / name, tmp_path)
        assert 1_000 < found.duration_ms < 8_000
    # What says where the frames are stands at the end of this one.
    with pytest.raises(UnreadableError, match="no sound or video that can be read"):
        film(tmp_path / "a.mp4", tmp_path)


def test_what_cannot_be_seen_says_why(tmp_path: Path) -> None:
    write_sound(tmp_path / "sound.ogg", a_tone(300, 1.0), "libopus")
    write_video(tmp_path / "long.mp4", [RED, GREEN, BLUE], "libx264")
    (tmp_path / "empty.mp4").touch()
    for name, options, reason, kind in (
        ("sound.ogg", {}, "there is no video", "validation"),
        ("empty.mp4", {}, "the file is empty", "validation"),
        ("long.mp4", {"longest_s": 2.0}, "longer than 2 s", "runtime"),
        ("long.mp4", {"most_shots": 2}, "more than 2 shots", "runtime"),
    ):
        with pytest.raises(UnreadableError, match=reason) as caught:
            film(tmp_path / name, tmp_path, **options)
        assert caught.value.error_type == kind
