"""Tux Paint's stamps: 785 drawn pictures with categories and captions, and how well a model finds among them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from tamis.engine.ports.inference import JointEmbedder, Pixels, VisualEmbedder
from tamis.model.vector import FloatArray
from tests.shared_data import json_lines, shared

Change = Callable[[Pixels, np.random.Generator], Pixels]
COLOURS = ("red", "green", "blue")
COPIES, TOP = 100, 10
_SEED = 7


@dataclass(frozen=True, slots=True)
class Stamps:
    """pictures: on white.  words: each one's caption and file name, which is all that is known of it."""

    pictures: list[Pixels]
    categories: list[str]
    captions: list[str]
    words: list[list[str]]

    @property
    def chance(self) -> float:
        """How often two of them are of one category."""
        _, sizes = np.unique(np.array(self.categories), return_counts=True)
        return float(((sizes / len(self.categories)) ** 2).sum())


def stamps(side: int | None = None) -> Stamps:
    """side: pixels at most; else as they are."""
    root = shared("data/tuxpaint_stamps")
    listed = json_lines(root / "stamps.jsonl")
    pictures = []
    for stamp in listed:
        layer = Image.open(root / stamp["image"]).convert("RGBA")
        if side is not None:
            layer.thumbnail((side, side))
        pictures.append(np.asarray(Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")))
    words = [re.sub(r"[/_.-]", " ", f"{stamp['caption']} {stamp['id']}").lower().split() for stamp in listed]
    return Stamps(pictures, [one["category"] for one in listed], [str(one["caption"]) for one in listed], words)


def copies_found(model: VisualEmbedder, among: Stamps, rows: FloatArray, change: Change) -> tuple[float, float]:
    """Of a hundred changed copies, the shares that find their own picture first, and among the first ten."""
    random = np.random.default_rng(_SEED)
    chosen = random.choice(len(among.pictures), COPIES, replace=False)
    scores = model.embed_images([change(among.pictures[place], random) for place in chosen]) @ rows.T
    ranks = np.array([(scores[copy] > scores[copy, place]).sum() for copy, place in enumerate(chosen)])
    return float((ranks < 1).mean()), float((ranks < TOP).mean())


def category_shared(among: Stamps, rows: FloatArray, neighbours: int = 5) -> float:
    """How many of the nearest are of the same category."""
    categories, scores = np.array(among.categories), rows @ rows.T
    np.fill_diagonal(scores, -2)
    nearest = np.argsort(-scores, axis=1)[:, :neighbours]
    return float((categories[nearest] == categories[:, None]).mean())


def colours_named(model: JointEmbedder, among: Stamps, rows: FloatArray) -> dict[str, tuple[int, float, float]]:
    """By colour: pictures whose words name it among the first ten, by chance so many, and the first tenth's recall."""
    found = {}
    for colour, query in zip(COLOURS, model.embed_texts(COLOURS), strict=True):
        relevant = np.array([colour in words for words in among.words])
        ranked = relevant[np.argsort(-(rows @ query), kind="stable")]
        found[colour] = (
            int(ranked[:TOP].sum()),
            float(relevant.mean() * TOP),
            float(ranked[: len(ranked) // 10].sum() / relevant.sum()),
        )
    return found


def captions_found(model: JointEmbedder, among: Stamps, rows: FloatArray) -> float:
    """The share of pictures that their whole caption finds among the first ten; ties count against it."""
    scores = model.embed_texts(among.captions) @ rows.T
    own = scores[np.arange(len(scores)), np.arange(len(scores))]
    return float(((scores >= own[:, None]).sum(axis=1) <= TOP).mean())


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


CHANGES: Mapping[str, Change] = {
    "cropped": cropped, "flipped": flipped, "rescaled": rescaled, "recoloured": recoloured,
}  # fmt: skip
