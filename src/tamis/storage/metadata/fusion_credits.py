"""What interactions taught the weights of a fusion: each for itself, and summed by context and day."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.fusion_credit import Agreement, DayOfCredits, FusionCredit
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import fusion_credits, fusion_days

_CODEC = Codec(FusionCredit)
_MILLIONTHS = 1_000_000
_SEARCH, _PLACE = "search", "place"
_EVERYONE = ""
_c, _d = fusion_credits.c, fusion_days.c
_mine = (_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_our_days = (_d.organization_id == bindparam("organization_id"), _d.namespace_id == bindparam("namespace_id"))
_of_stage = (*_our_days, _d.retriever_id == bindparam("retriever_id"), _d.stage_name == bindparam("stage_name"))

_INSERT = insert(fusion_credits)
_FIND = select(_c.body).where(*_mine, one_of(_c.interaction_id, "ids")).order_by(_c.interaction_id)
_DELETE = delete(fusion_credits).where(*_mine, one_of(_c.interaction_id, "ids"))
_OF_PERSON = (
    select(_c.interaction_id)
    .where(*_mine, _c.person == bindparam("person"))
    .order_by(_c.interaction_id)
    .limit(bindparam("limit"))
)
_DELETE_RETRIEVER = delete(fusion_credits).where(*_mine, _c.retriever_id == bindparam("retriever_id"))
_DELETE_DAYS = delete(fusion_days).where(*_our_days, _d.retriever_id == bindparam("retriever_id"))
_insert_day = insert(fusion_days)
_KEY = (
    _d.organization_id, _d.namespace_id, _d.retriever_id, _d.stage_name, _d.context, _d.kind, _d.day, _d.item,
)  # fmt: skip
_ADD = _insert_day.on_conflict_do_update(
    index_elements=list(_KEY),
    set_={name: fusion_days.c[name] + _insert_day.excluded[name] for name in ("count", "agreed", "pairs")},
)
_DELETE_EMPTY = delete(fusion_days).where(*(one == bindparam(one.name) for one in _KEY), _d["count"] <= 0)
_DAYS = (
    select(_d.day, _d.item, _d["count"], _d.agreed, _d.pairs)
    .where(*_of_stage, _d.context == bindparam("context"), _d.kind == _SEARCH, _d.day >= bindparam("since_day"))
    .order_by(_d.day, _d.item)
)
_PLACES = select(_d.item, _d["count"]).where(*_of_stage, _d.context == _EVERYONE, _d.kind == _PLACE)


class SqlFusionCredits:
    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, principal: Principal, credits: Sequence[FusionCredit]) -> None:
        mine = scope(principal)
        rows = [
            {
                **mine, "interaction_id": one.interaction_id, "retriever_id": one.retriever_id,
                "person": one.person, "body": _CODEC.encode(one),
            }
            for one in credits
        ]  # fmt: skip
        self._link.run_many(_INSERT, rows)
        self._link.run_many(_ADD, summed(mine, credits, 1))

    def days(
        self, principal: Principal, retriever_id: str, stage_name: str, context: str, since_day: int
    ) -> Sequence[DayOfCredits]:
        asked = {"retriever_id": retriever_id, "stage_name": stage_name, "context": context, "since_day": since_day}
        counts: dict[int, int] = {}
        agreements: defaultdict[int, dict[str, Agreement]] = defaultdict(dict)
        for day, item, count, agreed, pairs in self._link.rows(_DAYS, {**scope(principal), **asked}):
            # A search may be new to the stage: the one that took part most often says how many there were.
            counts[day] = max(counts.get(day, 0), count)
            agreements[day][item] = Agreement(agreed / _MILLIONTHS, pairs / _MILLIONTHS)
        return [DayOfCredits(day, count, agreements[day]) for day, count in counts.items()]

    def places(self, principal: Principal, retriever_id: str, stage_name: str) -> Mapping[int, int]:
        asked = {**scope(principal), "retriever_id": retriever_id, "stage_name": stage_name}
        found: dict[int, int] = {}
        for item, count in self._link.rows(_PLACES, asked):
            found[int(item)] = found.get(int(item), 0) + count
        return found

    def forget(self, principal: Principal, interaction_ids: Sequence[str]) -> int:
        mine = scope(principal)
        asked = {**mine, "ids": self._link.array(interaction_ids)}
        credits = [_CODEC.decode(body) for (body,) in self._link.rows(_FIND, asked)]
        rows = summed(mine, credits, -1)
        self._link.run_many(_ADD, rows)
        self._link.run_many(_DELETE_EMPTY, [{one.name: row[one.name] for one in _KEY} for row in rows])
        self._link.run(_DELETE, asked)
        return len(credits)

    def forget_person(self, principal: Principal, person: str, limit: int) -> int:
        """At most `limit`; how many there were."""
        rows = self._link.rows(_OF_PERSON, {**scope(principal), "person": person, "limit": limit})
        return self.forget(principal, [interaction_id for (interaction_id,) in rows])

    def forget_retriever(self, principal: Principal, retriever_id: str) -> None:
        asked = {**scope(principal), "retriever_id": retriever_id}
        self._link.run(_DELETE_RETRIEVER, asked)
        self._link.run(_DELETE_DAYS, asked)


def summed(mine: Mapping[str, Any], credits: Sequence[FusionCredit], sign: int) -> list[dict[str, Any]]:
    """One row for each sum that changes, in the order of their keys: two writers wait for each other one way."""
    sums: defaultdict[tuple[str, str, str, str, int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in credits:
        for context, kind, item, agreement in _parts(one):
            held = sums[one.retriever_id, one.stage_name, context, kind, one.day, item]
            held[0] += sign
            held[1] += sign * round(agreement.agreed * _MILLIONTHS)
            held[2] += sign * round(agreement.pairs * _MILLIONTHS)
    names = ("retriever_id", "stage_name", "context", "kind", "day", "item")
    return [
        {**mine, **dict(zip(names, key, strict=True)), "count": count, "agreed": agreed, "pairs": pairs}
        for key, (count, agreed, pairs) in sorted(sums.items())
    ]


def _parts(credit: FusionCredit) -> Iterator[tuple[str, str, str, Agreement]]:
    yield _EVERYONE, _PLACE, str(credit.place), Agreement(0.0, 0.0)
    for context in credit.contexts:
        for search, agreement in credit.agreements.items():
            yield context, _SEARCH, search, agreement
