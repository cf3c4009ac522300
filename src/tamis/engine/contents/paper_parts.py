"""A page's blocks as what becomes a document: each by itself, all as one text, or passages of that text."""

from collections.abc import Sequence
from dataclasses import dataclass

from tamis.engine.contents.text_features import storable
from tamis.engine.ports.inference import Embedder
from tamis.engine.text.chunks import Chunking, chunk
from tamis.model.json import JSON
from tamis.model.media_document import Block, Box

_GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Part:
    """fields: where it stands, and what it consists of."""

    text: str
    fields: dict[str, JSON]


def block_parts(blocks: Sequence[Block]) -> list[Part]:
    return [Part(storable(block.text), _of_block(block)) for block in blocks]


def page_parts(blocks: Sequence[Block], chunking: Chunking | None, embedder: Embedder) -> list[Part]:
    """One part without chunking; none where there is no text."""
    texts = [storable(block.text) for block in blocks]
    page, starts = _GAP.join(texts), _starts(texts)
    if not page.strip():
        return []
    if chunking is None:
        return [Part(page, _within(blocks, texts, starts))]
    spans = chunk(page, chunking, embedder.spans)
    parts = []
    for index, (start, end) in enumerate(spans):
        touched = [i for i, text in enumerate(texts) if starts[i] < end and starts[i] + len(text) > start]
        ends = [min(end, starts[i] + len(texts[i])) for i in touched]
        begins = [max(start, starts[i]) for i in touched]
        inside = [page[begin:stop] for begin, stop in zip(begins, ends, strict=True)]
        place: dict[str, JSON] = {
            "chunk_index": index, "chunk_count": len(spans), "start_char": start, "end_char": end,
            **_within([blocks[i] for i in touched], inside, [begin - start for begin in begins]),
        }  # fmt: skip
        parts.append(Part(page[start:end], place))
    return parts


def _starts(texts: Sequence[str]) -> list[int]:
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + len(_GAP)
    return starts


def _within(blocks: Sequence[Block], texts: Sequence[str], starts: Sequence[int]) -> dict[str, JSON]:
    """What a text consists of, where in it that begins, and the place of all of it."""
    shown: list[JSON] = [
        {**_of_block(block), "start_char": start, "end_char": start + len(text)}
        for block, text, start in zip(blocks, texts, starts, strict=True)
    ]
    boxes = [block.box for block in blocks if block.box is not None]
    return {"blocks": shown, **({"bbox": _bbox(_around(boxes))} if boxes else {})}


def _of_block(block: Block) -> dict[str, JSON]:
    fields: dict[str, JSON] = {"object_type": block.object_type}
    if block.box is not None:
        fields["bbox"] = _bbox(block.box)
    if block.rows:
        fields["rows"] = [list(row) for row in block.rows]
    return fields


def _around(boxes: Sequence[Box]) -> Box:
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, top = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    return Box(x, y, round(right - x, 2), round(top - y, 2))


def _bbox(box: Box) -> JSON:
    return {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
