"""One request for each document: in parallel under a limit, failures as the stage's `on_error` says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

from tamis.engine.running.sifting import meant
from tamis.engine.stage import Outcome
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.errors import OutsideError, OutsideRefusedError
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

OnFailure: TypeAlias = Literal["skip", "remove", "raise"]
_MOST_WARNINGS = 5
_REASONS = "reasons"
_MOST_REASONS = 500


def _as_it_was(hit: Hit, _reason: str) -> Hit:
    return hit


async def each(
    hits: Hits,
    when: object,
    at_once: int,
    on_error: OnFailure,
    reach: Callable[[Hit], Awaitable[Hit]],
    failed_as: Callable[[Hit, str], Hit] = _as_it_was,
) -> Outcome:
    """when: a filter; documents that it does not match stay as they are.  failed_as: what a skipped one becomes.

    Raises: OutsideError where `on_error` is `raise`; OutsideRefusedError also where all documents were refused, for
    then it is the server that is not set up for this.
    """
    places, meant_ids = asyncio.Semaphore(at_once), {hit.id for hit in await meant(hits, parse_filter(when))}

    async def one(hit: Hit) -> Hit | OutsideError | OutsideRefusedError:
        if hit.id not in meant_ids:
            return hit
        async with places:
            try:
                return await reach(hit)
            except (OutsideError, OutsideRefusedError) as error:
                if on_error == "raise":
                    raise
                return error

    found = await asyncio.gather(*map(one, hits))
    _all_refused(found)
    kept = [
        failed_as(was, now.message) if isinstance(now, Exception) else now
        for was, now in zip(hits, found, strict=True)
        if not isinstance(now, Exception) or on_error == "skip"
    ]
    failed = [f"{was.id}: {now.message}" for was, now in zip(hits, found, strict=True) if isinstance(now, Exception)]
    more = [f"and {len(failed) - _MOST_WARNINGS} documents more"] if len(failed) > _MOST_WARNINGS else []
    facts: dict[str, JSON] = {"failed": len(failed)}
    if on_error == "remove" and failed:
        pairs = zip(hits, found, strict=True)
        reasons = {was.id: now.message for was, now in pairs if isinstance(now, Exception)}
        facts[_REASONS] = dict(list(reasons.items())[:_MOST_REASONS])
    return Outcome(Hits.of(kept), warnings=(*failed[:_MOST_WARNINGS], *more), metadata=facts)


def removal(case: Case) -> Verdict:
    """Why `each` removed a document, and what would have kept it."""
    reasons = case.metadata.get(_REASONS)
    reason = reasons.get(case.document.document_id) if isinstance(reasons, dict) else None
    told = reason if isinstance(reason, str) else "there was no answer for it"
    return Verdict(
        VerdictKind.DROPPED,
        f"{told}; such a document is removed (on_error)",
        {"rank": case.rank, "received": len(case.received), "returned": len(case.returned)},
        case.setting("on_error", before="remove", to="skip"),
    )


def _all_refused(found: Sequence[object]) -> None:
    refused = [one for one in found if isinstance(one, OutsideRefusedError)]
    if refused and len(refused) == len(found):
        raise refused[0]
