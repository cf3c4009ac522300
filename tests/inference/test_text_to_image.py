"""Pictures found by words that nobody wrote beside them: captions are held out, and only judge what comes back."""

from pathlib import Path

from tamis.engine.ports.inference import JointEmbedder
from tamis.inference.models import LocalModels
from tests.inference.joint_model import joint_model
from tests.stamps import TOP, captions_found, colours_named, stamps


def test_words_find_what_the_model_knows_and_captions_find_no_more_than_chance(tmp_path: Path) -> None:
    """The generated model knows three colours. By chance, a colour is named by 0.1 of ten pictures.

    A whole caption asks it for things that it does not know: 10 of 785 by chance, and no better by it.
    """
    among = stamps(side=64)
    joint_model(tmp_path / "eyes")
    model = LocalModels(tmp_path, threads=1).visual("eyes")
    assert isinstance(model, JointEmbedder)
    rows = model.embed_images(among.pictures)
    found = colours_named(model, among, rows)
    assert all(first_tenth > 0.5 for _, _, first_tenth in found.values())
    assert sum(named for named, _, _ in found.values()) >= 6
    assert captions_found(model, among, rows) < 5 * TOP / len(among.captions)


def test_the_default_is_not_asked_by_words() -> None:
    assert not isinstance(LocalModels(downloads=False).visual(None), JointEmbedder)
