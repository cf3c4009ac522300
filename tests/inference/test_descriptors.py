"""What looks at pictures without a learned model: copies of a picture stay near it, whatever was done to them."""

import numpy as np
import pytest

from tamis.engine.contents.visual_features import DEFAULT_DIMENSIONS, DEFAULT_MODEL
from tamis.inference.descriptors import ColorGradientDescriptor
from tamis.inference.models import LocalModels
from tamis.model.vector import FloatArray
from tests.drawing import drawn
from tests.stamps import CHANGES, Stamps, category_shared, copies_found, stamps


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


@pytest.fixture(scope="module")
def known() -> tuple[Stamps, FloatArray]:
    among = stamps()
    return among, ColorGradientDescriptor().embed_images(among.pictures)


@pytest.mark.parametrize(
    ("change", "first", "ten"),
    [("cropped", 0.85, 0.95), ("flipped", 0.95, 0.98), ("rescaled", 0.85, 0.93), ("recoloured", 0.9, 0.95)],
)
def test_a_changed_copy_finds_its_picture_among_all(
    known: tuple[Stamps, FloatArray], change: str, first: float, ten: float
) -> None:
    """By chance one of 785 is found first, and 1.3 in a hundred among the first ten."""
    found_first, found_among_ten = copies_found(ColorGradientDescriptor(), *known, CHANGES[change])
    assert found_first >= first
    assert found_among_ten >= ten


def test_neighbours_are_of_one_category_more_often_than_by_chance(known: tuple[Stamps, FloatArray]) -> None:
    """The five nearest: by chance 16 in a hundred are of the same of the categories."""
    among, rows = known
    assert among.chance < 0.17
    assert category_shared(among, rows) > 2.5 * among.chance
