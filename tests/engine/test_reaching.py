"""What stages that ask a service for each document do with the set: laws over whichever requests fail."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.outreach.reaching import OnFailure, each
from tamis.errors import OutsideError, OutsideRefusedError
from tamis.model.hits import Hit, Hits

FATES = st.lists(st.sampled_from(["answered", "failed", "refused", "unasked"]), max_size=12)


def hits_of(fates: Sequence[str]) -> Hits:
    return Hits.of(Hit(f"d{n}", float(-n), None, {}, {"fate": fate}) for n, fate in enumerate(fates))


async def ask(hit: Hit) -> Hit:
    if hit.extra["fate"] == "failed":
        raise OutsideError("it failed")
    if hit.extra["fate"] == "refused":
        raise OutsideRefusedError("it is not allowed")
    return replace(hit, extra={**hit.extra, "answer": hit.id})


WHEN = {"field": "fate", "operator": "ne", "value": "unasked"}


@given(FATES, st.sampled_from(["skip", "remove"]), st.integers(1, 4))
async def test_order_stays_and_only_failures_go(fates: list[str], on_error: OnFailure, at_once: int) -> None:
    hits = hits_of(fates)
    if fates and set(fates) == {"refused"}:
        with pytest.raises(OutsideRefusedError):
            await each(hits, WHEN, at_once, on_error, ask)
        return
    outcome = await each(hits, WHEN, at_once, on_error, ask)
    failing = ("failed", "refused")
    gone = [hit.id for hit in hits if hit.extra["fate"] in failing]
    kept = [hit.id for hit in hits if on_error == "skip" or hit.id not in gone]
    assert [hit.id for hit in outcome.hits] == kept
    assert [hit.id for hit in outcome.hits if "answer" in hit.extra] == [
        hit.id for hit in hits if hit.extra["fate"] == "answered"
    ]
    assert outcome.metadata["failed"] == len(gone)
    assert outcome.metadata.get("reasons", {}) == (
        {one: "it failed" if hits[int(one[1:])].extra["fate"] == "failed" else "it is not allowed" for one in gone}
        if on_error == "remove"
        else {}
    )
    by_id = {hit.id: hit for hit in hits}
    assert all(hit == by_id[hit.id] for hit in outcome.hits if "answer" not in hit.extra)


@given(FATES)
async def test_raise_fails_with_the_first_of_its_kind(fates: list[str]) -> None:
    if {"failed", "refused"} & set(fates):
        with pytest.raises((OutsideError, OutsideRefusedError)):
            await each(hits_of(fates), WHEN, 1, "raise", ask)
    else:
        assert len((await each(hits_of(fates), WHEN, 1, "raise", ask)).hits) == len(fates)


@given(FATES)
async def test_a_skipped_one_becomes_what_the_stage_says(fates: list[str]) -> None:
    hits = hits_of([fate for fate in fates if fate != "refused"])
    outcome = await each(hits, WHEN, 3, "skip", ask, lambda hit, reason: hit.with_extra(error=reason))
    assert [hit.extra.get("error") for hit in outcome.hits] == [
        "it failed" if hit.extra["fate"] == "failed" else None for hit in hits
    ]
