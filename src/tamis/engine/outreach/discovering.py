"""Search engines of others as stages ask them: once for all documents or once for each, and results made hits."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from tamis.engine.parameters import template_roots
from tamis.engine.spending.spending import Given
from tamis.engine.stage import Context
from tamis.errors import OutsideError, OutsideRefusedError, ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

FoundT = TypeVar("FoundT")
OnNothing: TypeAlias = Literal["skip", "raise"]
_Fault: TypeAlias = OutsideError | OutsideRefusedError | ValidationError
_FAULTS = (OutsideError, OutsideRefusedError, ValidationError)
MOST_SEARCHES = 20
"""Of one run: as many as a person would look through."""
_AT_ONCE = 4
_MOST_WARNINGS = 5


def questions(template: str, hits: Hits, context: Context) -> tuple[list[str], list[str]]:
    """What to search for, each once: one text, or one for each hit where it names DOC. Returns: it, and warnings."""
    if not _is_for_each(template, context):
        return [template], []
    asked: dict[str, None] = {}
    warnings = []
    for hit in hits:
        try:
            text = str(context.render(template, hit)).strip()
        except ValidationError as error:
            warnings.append(f"{hit.id}: {error.message}")
            continue
        asked |= {text: None} if text else {}
    if len(asked) > MOST_SEARCHES:
        warnings.append(f"only the first {MOST_SEARCHES} of {len(asked)} searches were made")
    return list(asked)[:MOST_SEARCHES], _few(warnings)


def _is_for_each(template: str, context: Context) -> bool:
    """Only what the definition wrote is a template: `render` gives any other text back as it is."""
    try:
        return bool(context.render(template, Hit("", 0.0)) != template)
    except ValidationError:
        return True


def how_many(template: str | None, given: Given) -> float:
    """Searches at most, as a budget counts them before the run."""
    return min(given.count, MOST_SEARCHES) if "DOC" in template_roots(template) else 1


async def searched(
    asked: Sequence[str], on_error: OnNothing, search: Callable[[str], Awaitable[FoundT]]
) -> tuple[list[tuple[str, FoundT]], list[str]]:
    """The answers with their questions, in order; warnings for those without.

    Raises: OutsideError where `on_error` is `raise`; OutsideRefusedError, ValidationError also where all were refused.
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(text: str) -> FoundT | _Fault:
        async with places:
            try:
                return await search(text)
            except _FAULTS as error:
                if on_error == "raise":
                    raise
                return error

    found = await asyncio.gather(*map(one, asked))
    refused = [answer for answer in found if isinstance(answer, OutsideRefusedError | ValidationError)]
    if refused and len(refused) == len(found):
        raise refused[0]
    failed, answers = [], []
    for text, answer in zip(asked, found, strict=True):
        if isinstance(answer, _FAULTS):
            failed.append(f"{text[:80]!r}: {answer.message}")
        else:
            answers.append((text, answer))
    return answers, _few(failed)


def _few(warnings: list[str]) -> list[str]:
    more = len(warnings) - _MOST_WARNINGS
    return warnings if more <= 0 else [*warnings[:_MOST_WARNINGS], f"and {more} more"]


def row(prefix: str, key: str, score: float, stage_name: str, fields: dict[str, JSON]) -> Hit:
    """A hit made of a result. Its id follows from its address, so that two searches that find it find one document."""
    name = f"{prefix}_{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"
    return Hit(name, score, None, {stage_name: score}, {field: one for field, one in fields.items() if one is not None})


def scores_of(given: Sequence[float | None]) -> list[float]:
    """The provider's where each result has one; else by rank: 1, 1/2, 1/3 and on."""
    own = [score for score in given if score is not None]
    return own if len(own) == len(given) else [1 / (1 + position) for position in range(len(given))]


def appended(hits: Hits, found: Iterable[Hit]) -> Hits:
    """What came in first, then what was found, each id once."""
    seen = {hit.id: hit for hit in hits}
    new: dict[str, Hit] = {}
    for hit in found:
        if hit.id not in seen:
            new.setdefault(hit.id, hit)
    return Hits.of([*hits, *new.values()])


def domain_of(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
