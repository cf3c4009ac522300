"""What an answer cites, held against the documents that tools really brought."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tamis.model.agent_session import Shown

_MARK = re.compile(r"\[([D0-9,; ]{2,200})\]")
_LABEL = re.compile(r"D\d+")
_DROPPED = "[?]"
"""Something has to stand there: what is left and right of it could make a mark together."""
_MOST_UNKNOWN = 20


@dataclass(frozen=True, slots=True)
class Cited:
    """text: with `[?]` where only what nobody was shown was named.  unknown: those marks, as the model wrote them."""

    text: str
    citations: tuple[Shown, ...]
    unknown: tuple[str, ...]


def cited(text: str, named: Sequence[str], known: Mapping[str, Shown]) -> Cited:
    """named: labels that the model gives beside its text.  known: every document it was shown, by label.

    Citations stand in the order of the text, then of `named`. Cost: O(characters).
    """
    labels, unknown = dict[str, None](), dict[str, None]()

    def kept(match: re.Match[str]) -> str:
        inside = _LABEL.findall(match[1])
        if not inside:
            return match[0]
        for label in inside:
            (labels if label in known else unknown)[label] = None
        there = [label for label in inside if label in known]
        return f"[{', '.join(there)}]" if there else _DROPPED

    written = _MARK.sub(kept, text)
    for name in named:
        label = name.strip(" []")
        (labels if label in known else unknown)[label[:100]] = None
    return Cited(written, tuple(known[one] for one in labels), tuple(unknown)[:_MOST_UNKNOWN])
