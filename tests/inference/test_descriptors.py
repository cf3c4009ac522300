"""What looks at pictures without a learned model: copies of a picture stay near it, whatever was done to them."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from tamis.engine.ports.inference import Pixels
from tamis.engine.visual_features import DEFAULT_DIMENSIONS, DEFAULT_MODEL
from tamis.inference.descriptors import ColorGradientDescriptor
from tamis.inference.models import LocalModels
from tamis.model.vector import FloatArray
from tests.drawing import drawn
from tests.shared_data import json_lines, shared

Change = Callable[[Pixels, np.random.Generator], Pixels]
_COPIES = 100
_SEED = 7


def test_rows_are_unit_rows_of_its_length() -> None:
    flat = np.full((9, 9, 3), 200, np.uint8)
    rows = ColorGradientDescriptor().embed_images([drawn(), flat, flat[:1, :1]])
    assert rows.shape == (3, DEFAULT_DIMENSIONS)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_mirrored_picture_is_the_same() -> None:
    pixels = drawn(96, 96)
    one, other = ColorGradientDescriptor().embed_images([pixels, pixels[:, ::-1]])
    assert float(one @ other) > 0.999


def test_it_is_the_default_and_has_a_name() -> None:
    models = LocalModels(downloads=False)
    for name in (None, DEFAULT_MODEL, "Color Gradient Descriptor"):
        assert models.visual(name).info.name == DEFAULT_MODEL


def cropped(image: Pixels, random: np.random.Generator) -> Pixels:
    """Four fifths of both sides, anywhere."""
    height, width = (max(1, side * 4 // 5) for side in image.shape[:2])
    top = int(random.integers(0, image.shape[0] - height + 1))
    left = int(random.integers(0, image.shape[1] - width + 1))
    return image[top : top + height, left : left + width]


def flipped(image: Pixels, _random: np.random.Generator) -> Pixels:
    return image[:, ::-1]


def rescaled(image: Pixels, random: np.random.Generator) -> Pixels:
    factor = random.choice([0.4, 0.6, 1.7])
    width, height = (max(8, int(side * factor)) for side in (image.shape[1], image.shape[0]))
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def recoloured(image: Pixels, random: np.random.Generator) -> Pixels:
    """Every hue turned by the same angle, from 40 to 320 degrees."""
    values = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int64)
    values[..., 0] = (values[..., 0] + random.integers(20, 160)) % 180
    return np.asarray(cv2.cvtColor(values.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


@pytest.fixture(scope="module")
def stamps() -> tuple[list[Pixels], list[str], FloatArray]:
    """Pictures on white, their categories, their rows."""
    root = shared("data/tuxpaint_stamps")
    listed = json_lines(root / "stamps.jsonl")
    pictures = []
    for stamp in listed:
        layer = Image.open(root / stamp["image"]).convert("RGBA")
        pictures.append(np.asarray(Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")))
    return pictures, [stamp["category"] for stamp in listed], ColorGradientDescriptor().embed_images(pictures)


@pytest.mark.parametrize(
    ("change", "first", "ten"),
    [(cropped, 0.85, 0.95), (flipped, 0.95, 0.98), (rescaled, 0.85, 0.93), (recoloured, 0.9, 0.95)],
)
def test_a_changed_copy_finds_its_picture_among_all(
    stamps: tuple[list[Pixels], list[str], FloatArray], change: Change, first: float, ten: float
) -> None:
    """By chance one of 785 is found first, and 1.3 in a hundred among the first ten."""
    pictures, _, rows = stamps
    random = np.random.default_rng(_SEED)
    chosen = random.choice(len(pictures), _COPIES, replace=False)
    copies = ColorGradientDescriptor().embed_images([change(pictures[place], random) for place in chosen])
    scores = copies @ rows.T
    ranks = np.array([(scores[copy] > scores[copy, place]).sum() for copy, place in enumerate(chosen)])
    assert (ranks < 1).mean() >= first
    assert (ranks < 10).mean() >= ten


def test_neighbours_are_of_one_category_more_often_than_by_chance(
    stamps: tuple[list[Pixels], list[str], FloatArray],
) -> None:
    """The five nearest: by chance 16 in a hundred are of the same of the categories."""
    _, named, rows = stamps
    categories, scores = np.array(named), rows @ rows.T
    np.fill_diagonal(scores, -2)
    nearest = np.argsort(-scores, axis=1)[:, :5]
    _, sizes = np.unique(categories, return_counts=True)
    chance = float(((sizes / len(categories)) ** 2).sum())
    assert chance < 0.17
    assert float((categories[nearest] == categories[:, None]).mean()) > 2.5 * chance
