"""Damaged sound and video, fed to a real worker: an answer or a reason, soon, and the next file is decoded as ever."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tamis.decoding.pool import DecoderPool
from tamis.errors import DecodeError
from tamis.model.media_sound import Sound, SoundOptions
from tamis.model.media_video import Film, VideoOptions
from tests.media_samples import tone, write_sound, write_video

COLOURS = [(220, 120, 60), (20, 80, 20), (60, 160, 240)]
VIDEOS = {
    "a.mp4": "libx264", "a.mkv": "libx265", "a.webm": "libvpx-vp9", "a.avi": "mpeg4", "a.ts": "mpeg2video",
    "a.gif": "gif",
}  # fmt: skip
SOUNDS = {
    "a.ogg": "libopus", "a.mp3": "libmp3lame", "a.wav": "pcm_s16le", "a.flac": "flac", "a.m4a": "aac", "a.mka": "ac3",
}  # fmt: skip
SEEDS = range(16)
LONGEST_S = 20.0


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecoderPool]:
    made = DecoderPool(tmp_path_factory.mktemp("pool") / "work", workers=1, timeout_s=LONGEST_S)
    yield made
    made.close()


def flipped(data: bytearray, chance: random.Random) -> bytes:
    for _ in range(1 + len(data) // 500):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def cut(data: bytearray, chance: random.Random) -> bytes:
    return bytes(data[: chance.randrange(1, len(data))])


def torn(data: bytearray, chance: random.Random) -> bytes:
    """A piece is missing, another is there twice."""
    start, other = sorted(chance.randrange(len(data)) for _ in range(2))
    return bytes(data[:start] + data[other:] + data[start:other] * 2)


def large(data: bytearray, chance: random.Random) -> bytes:
    """Counts and sizes in the head become as large as they can."""
    for _ in range(8):
        place = chance.randrange(min(len(data), 800))
        data[place : place + 4] = b"\x7f\xff\xff\xff"
    return bytes(data)


DAMAGES: tuple[Callable[[bytearray, random.Random], bytes], ...] = (flipped, cut, torn, large)


def reason_of(pool: DecoderPool, task: str, path: Path, options: Any, kind: type[Any]) -> DecodeError | None:
    try:
        with pool.folder() as work:
            pool.decode(task, path, options, kind, work)
    except DecodeError as error:
        return error
    return None


def survives(pool: DecoderPool, path: Path, whole: bytes, seed: int) -> None:
    chance = random.Random(seed)
    path.write_bytes(DAMAGES[seed % len(DAMAGES)](bytearray(whole), chance))
    for task, options, kind in (("sound", SoundOptions(), Sound), ("video", VideoOptions(), Film)):
        began = time.monotonic()
        reason = reason_of(pool, task, path, options, kind)
        assert time.monotonic() - began < LONGEST_S
        assert reason is None or (reason.message and reason.error_type in ("validation", "resource", "runtime"))


@pytest.mark.parametrize("name", VIDEOS)
def test_damaged_videos(pool: DecoderPool, tmp_path: Path, name: str) -> None:
    write_video(tmp_path / name, COLOURS, VIDEOS[name], fps=25 if name == "a.ts" else 10)
    whole = (tmp_path / name).read_bytes()
    for seed in SEEDS:
        survives(pool, tmp_path / f"{seed}-{name}", whole, seed)
    with pool.folder() as work:
        assert len(pool.decode("video", tmp_path / name, VideoOptions(), Film, work).shots) == 3


@pytest.mark.parametrize("name", SOUNDS)
def test_damaged_sounds(pool: DecoderPool, tmp_path: Path, name: str) -> None:
    write_sound(tmp_path / name, tone(440, 1.0), SOUNDS[name], 48_000)
    whole = (tmp_path / name).read_bytes()
    for seed in SEEDS:
        survives(pool, tmp_path / f"{seed}-{name}", whole, seed)
    with pool.folder() as work:
        assert pool.decode("sound", tmp_path / name, SoundOptions(), Sound, work).duration_s == pytest.approx(
            1, abs=0.1
        )
