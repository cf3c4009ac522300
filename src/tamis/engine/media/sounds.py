"""Decoded samples, and how a stretch of them is described."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.inference import Samples
from tamis.model.json import JSON
from tamis.model.media_sound import SAMPLE_RATE, Sound, SoundOptions
from tamis.model.vector import FeatureSpec, Space, VectorKind

SOUND = "sound_descriptor"
MODEL = "log-mel-statistics"
DIMENSIONS = 144
"""Of the row that it makes."""


def heard(decoding: Decoding, file: Path, work: Path, longest_s: float) -> tuple[Sound, Samples]:
    """Raises: DecodeError."""
    sound = decoding.decode("sound", file, SoundOptions(longest_s), Sound, work)
    return sound, samples_of(sound)


def samples_of(sound: Sound) -> Samples:
    """To be asked once: what a long sound's file holds stays readable as a map, and the file itself is gone."""
    if sound.file is None:
        return np.frombuffer(sound.pcm, "<i2")
    samples = np.memmap(sound.file, "<i2", "r")
    Path(sound.file).unlink()
    return samples


def stretch(samples: Samples, start_s: float, end_s: float) -> Samples:
    return samples[max(0, int(start_s * SAMPLE_RATE)) : max(0, int(np.ceil(end_s * SAMPLE_RATE)))]


def sound_feature(extractor: str) -> FeatureSpec:
    return FeatureSpec(
        name=SOUND,
        kind=VectorKind.DENSE,
        dimensions=DIMENSIONS,
        inference_name=MODEL,
        aliases=(f"{extractor}_v1_{SOUND}",),
        description="How it sounds: statistics of log-mel levels, no learned model. Finds copies and recordings that "
        "sound alike.",
        space=Space.ACOUSTIC,
    )


def timed(start_s: float, end_s: float) -> dict[str, JSON]:
    """Where in its source a segment stands, in the contract's seconds and in whole milliseconds."""
    return {
        "start_time": round(start_s, 3),
        "end_time": round(end_s, 3),
        "start_ms": round(start_s * 1000),
        "end_ms": round(end_s * 1000),
    }


TIME_FIELDS: Mapping[str, JSON] = {
    "start_time": {"type": "float", "description": "Where the segment begins, in seconds from the start."},
    "end_time": {"type": "float", "description": "Where it ends."},
    "start_ms": {"type": "integer", "description": "Where it begins, in milliseconds."},
    "end_ms": {"type": "integer", "description": "Where it ends, in milliseconds."},
}
