"""Among 785 pictures: a changed copy finds its own, neighbours share a category, words find what nobody wrote down.

    python -m benchmarks.picture_search

The Tux Paint stamps of the shared data, half a minute. A hundred copies each are cut to four fifths of both sides,
mirrored, scaled by 0.4, 0.6 or 1.7, or turned in hue. Captions are held out and only judge: the default descriptor is
not asked by words; the tests' generated joint model takes the path that CLIP and SigLIP take, knows three colours, and
says nothing about them. Exit status 1 where fewer than 85 of 100 copies find their own first, or neighbours share their
category less than 2.5 times as often as by chance.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.inference.joint_model import joint_model
from tests.stamps import (
    CHANGES,
    COLOURS,
    TOP,
    Stamps,
    captions_found,
    category_shared,
    colours_named,
    copies_found,
    stamps,
)

from tamis.engine.ports.inference import JointEmbedder
from tamis.inference.models import LocalModels

_LEAST_FIRST, _LEAST_GAIN = 0.85, 2.5


def by_picture(among: Stamps) -> bool:
    """Prints what the default model finds; whether that is enough."""
    model, count = LocalModels(downloads=False).visual(None), len(among.pictures)
    rows = model.embed_images(among.pictures)
    print(f"{model.info.name}, {count} pictures; by chance first {1 / count:.4f}, among ten {TOP / count:.4f}")
    firsts = []
    for name, change in CHANGES.items():
        first, ten = copies_found(model, among, rows, change)
        firsts.append(first)
        print(f"  a copy, {name}: its own first {first:.2f}, among ten {ten:.2f}")
    shared = category_shared(among, rows)
    print(f"  the same category among the five nearest: {shared:.2f}, by chance {among.chance:.2f}")
    asked = "by words too" if isinstance(model, JointEmbedder) else "by pictures only: a text is refused"
    print(f"  asked {asked}")
    return min(firsts) >= _LEAST_FIRST and shared >= _LEAST_GAIN * among.chance


def by_words(among: Stamps, folder: Path) -> Iterator[str]:
    """What the generated joint model finds, captions held out."""
    joint_model(folder / "eyes")
    model = LocalModels(folder, threads=1).visual("eyes")
    if not isinstance(model, JointEmbedder):
        raise TypeError("the generated model reads no texts")
    rows = model.embed_images(among.pictures)
    found = colours_named(model, among, rows)
    named, chance = (sum(one[place] for one in found.values()) for place in (0, 1))
    yield f"a generated joint model that knows {', '.join(COLOURS)}"
    yield f"  the asked colour is named by {named} of {TOP * len(COLOURS)} of the first tens, by chance {chance:.1f}"
    recall = captions_found(model, among, rows)
    yield f"  a whole caption finds its own among ten: {recall:.4f}, by chance {TOP / len(rows):.4f}"


def main() -> int:
    is_enough = by_picture(stamps())
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        print("\n".join(by_words(stamps(side=64), Path(name))))
    print(f"floors {'kept' if is_enough else 'NOT KEPT'}")
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
