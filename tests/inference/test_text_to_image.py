"""Pictures found by words that nobody wrote beside them: captions are held out, and only judge what comes back."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tamis.engine.ports.inference import JointEmbedder, Pixels
from tamis.inference.models import LocalModels
from tests.inference.joint_model import joint_model
from tests.shared_data import json_lines, shared

COLOURS = ("red", "green", "blue")
TOP = 10


@pytest.fixture(scope="module")
def stamps() -> tuple[list[Pixels], list[str], list[str]]:
    """Small pictures on white, their captions, and these together with their file names."""
    root = shared("data/tuxpaint_stamps")
    pictures, captions, known = [], [], []
    for stamp in json_lines(root / "stamps.jsonl"):
        layer = Image.open(root / stamp["image"]).convert("RGBA")
        layer.thumbnail((64, 64))
        pictures.append(np.asarray(Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")))
        captions.append(str(stamp["caption"]))
        known.append(re.sub(r"[/_.-]", " ", f"{stamp['caption']} {stamp['id']}").lower())
    return pictures, captions, known


def test_words_find_what_the_model_knows_and_captions_find_no_more_than_chance(
    stamps: tuple[list[Pixels], list[str], list[str]], tmp_path: Path
) -> None:
    """The generated model knows three colours. By chance, a colour is named by 0.1 of ten pictures.

    A whole caption asks it for things that it does not know: 10 of 785 by chance, and no better by it.
    """
    pictures, captions, known = stamps
    joint_model(tmp_path / "eyes")
    model = LocalModels(tmp_path, threads=1).visual("eyes")
    assert isinstance(model, JointEmbedder)
    rows = model.embed_images(pictures)
    named = 0
    for colour, query in zip(COLOURS, model.embed_texts(COLOURS), strict=True):
        relevant = np.array([colour in text.split() for text in known])
        order = np.argsort(-(rows @ query), kind="stable")
        named += int(relevant[order[:TOP]].sum())
        first_tenth = relevant[order[: len(known) // 10]].sum() / relevant.sum()
        assert first_tenth > 0.5, colour
    assert named >= 6
    scores = model.embed_texts(captions) @ rows.T
    own = scores[np.arange(len(captions)), np.arange(len(captions))]
    recall = float(((scores >= own[:, None]).sum(axis=1) <= TOP).mean())
    assert recall < 5 * TOP / len(captions)


def test_the_default_is_not_asked_by_words() -> None:
    assert not isinstance(LocalModels(downloads=False).visual(None), JointEmbedder)
