"""A language model's judgements of what waits in a data set's pools, and how far it agrees with people."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from tamis.engine.language.grading import grades_of, grading
from tamis.engine.language.prompting import text_of
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels, Reply
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import Price
from tamis.errors import (
    AllowanceSpentError,
    ConflictError,
    LanguageModelError,
    TooManyRequestsError,
    ValidationError,
)
from tamis.evaluation.agreement import kappa
from tamis.model.dataset import Dataset, GroundTruth, Pooled
from tamis.model.document import Document
from tamis.model.hits import Hit
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.learning.datasets import find_dataset
from tamis.services.learning.pooled_documents import documents_of
from tamis.services.runs.turns import Turns

_AT_A_TIME = 5
"""Documents of one question: of more, a model heeds the middle less."""
_AT_ONCE = 4
_GREATEST = 3
CHARGED_AS = "judging"
"""Among what the organisation's credits went to."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ModelJudging:
    """provider, model: None is the operator's default.  depth: of each pool.  greatest: grade; None as people's are.

    guideline: what the model is to heed besides.  compared: documents that people judged, at most, that it is asked
    of too.  max_documents, max_credits, max_seconds: for all of it.  again: what a model judged before, too.
    """

    provider: str | None = None
    model: str | None = None
    depth: int = 10
    greatest: int | None = None
    guideline: str | None = None
    compared: int = 50
    max_documents: int = 500
    max_credits: float | None = None
    max_seconds: float = 120.0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """kappa, weighted_kappa: Cohen's, None where both judges gave one grade only.  same: the share of equal grades.

    counts: by people's grade, then the model's.
    """

    documents: int
    same: float
    kappa: float | None
    weighted_kappa: float | None
    counts: Mapping[int, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class ModelJudged:
    """judged: documents that the model's judgement stands for now.  left: that were to be judged and were not.

    gone: documents of pools that are there no more.  failed: questions without an answer that fits.  stopped: why
    not everything was asked.  agreement: None where people judged nothing that it could be asked of.
    """

    dataset: Dataset
    model: str
    judged: int
    left: int
    gone: int
    failed: int
    agreement: Agreement | None
    calls: int
    tokens: int
    credits: float
    stopped: str | None


@dataclass(frozen=True, slots=True)
class _Question:
    """documents: their texts by the names that judgements use.  people: the grades that people gave them."""

    query: GroundTruth
    documents: Mapping[str, str]
    people: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Course:
    """How far it is. charged: credits.  pairs: of grades, people's and the model's."""

    ends_at: float
    judged: int = 0
    asked: int = 0
    failed: int = 0
    charged: float = 0.0
    pairs: list[tuple[int, int]] = field(default_factory=list)
    stopped: str | None = None


class ModelJudgements:
    """price: of the model's calls and tokens."""

    def __init__(self, metadata: Metadata, language: LanguageModels, price: Price, turns: Turns, clock: Clock) -> None:
        self._metadata = metadata
        self._language = language
        self._price = price
        self._turns = turns
        self._clock = clock

    async def judge(self, principal: Principal, identifier: str, request: ModelJudging) -> ModelJudged:
        """Stored question by question: one that is broken off has judged what it had, and goes on where it is called
        again. What people judged, and what their clicks say, stays as it is, also where it comes meanwhile.

        Raises: NotFoundError, LanguageModelMissingError, NotSetUpError, ConflictError (nothing to be judged),
        ValidationError (a model that costs credits, and no word of how many), CreditsSpentError.
        """
        await self._turns.check_credits(principal)
        name = self._language.resolve(request.provider, request.model)
        if (self._price.per_call or self._price.per_1k_tokens) and request.max_credits is None:
            message = "language models cost credits here: say how many may be spent, as max_credits"
            raise ValidationError.at(["body", "max_credits"], message)
        dataset = await self._metadata.read(lambda session: find_dataset(session, principal, identifier))
        greatest = request.greatest or _greatest_of(dataset)
        questions, compared, gone = await self._metadata.read(
            lambda session: _questions(session, principal, dataset, request)
        )
        waiting = sum(len(one.documents) for one in questions)
        if not waiting and not compared:
            raise ConflictError(
                f"no pool of data set {dataset.name!r} holds a document that is there and that nobody has judged"
            )
        allowance = Allowance(self._price, *([request.max_credits] if request.max_credits is not None else []))
        course = _Course(asyncio.get_running_loop().time() + request.max_seconds)
        for some in _chunks([*compared, *questions], _AT_ONCE):
            asked = [self._ask(principal, one, greatest, request, allowance, course) for one in some]
            found = await asyncio.gather(*asked)
            await self._keep(principal, dataset, some, found, course, allowance)
            if course.stopped is not None:
                break
        agreement = _agreement(course.pairs)
        stored = await self._note(principal, dataset, name, greatest, agreement)
        return ModelJudged(
            stored, name, course.judged, waiting - course.judged, gone, course.failed, agreement,
            allowance.calls, allowance.tokens, allowance.credits, course.stopped,
        )  # fmt: skip

    async def _ask(
        self, principal: Principal, question: _Question, greatest: int, request: ModelJudging, allowance: Allowance,
        course: _Course,
    ) -> dict[str, int]:  # fmt: skip
        """Grades by document; none where there was no answer."""
        if asyncio.get_running_loop().time() >= course.ends_at:
            course.stopped = f"max_seconds {request.max_seconds:g} are over"
            return {}
        access = (request.provider, request.model)
        texts = [*question.documents.values()]
        prompt = grading(question.query.query_input, texts, greatest, request.guideline, access)
        try:
            async with self._turns.taken(principal):
                reply: Reply = await self._language.ask(principal, prompt, allowance)
        except AllowanceSpentError:
            course.stopped = f"max_credits {request.max_credits:g} are spent"
            return {}
        except TooManyRequestsError as error:
            course.stopped = error.message
            return {}
        except LanguageModelError:
            course.failed += 1
            return {}
        return dict(zip(question.documents, grades_of(reply, len(texts)), strict=True))

    async def _keep(
        self, principal: Principal, dataset: Dataset, some: Sequence[_Question], found: Sequence[Mapping[str, int]],
        course: _Course, allowance: Allowance,
    ) -> None:  # fmt: skip
        """On the data set as it is now: somebody may have judged meanwhile. What it cost is charged with it."""
        mine: dict[str, dict[str, int]] = {}
        for question, grades in zip(some, found, strict=True):
            course.pairs += [(question.people[one], grade) for one, grade in grades.items() if one in question.people]
            if not question.people:
                mine.setdefault(question.query.query_id, {}).update(grades)
        cost, course.charged = allowance.credits - course.charged, allowance.credits
        self._turns.spent(principal, cost)
        if not any(mine.values()) and cost <= 0:
            return

        def keep(session: Session) -> int:
            session.credits.charge(principal, CHARGED_AS, self._clock.now().date(), cost)
            now = find_dataset(session, principal, dataset.dataset_id)
            queries = [one.judged_by_model(mine.get(one.query_id, {})) for one in now.queries]
            after = replace(now, queries=tuple(queries), updated_at=self._clock.now())
            session.datasets.replace(principal, after)
            return sum(len({*one.by_model} & {*mine.get(one.query_id, {})}) for one in queries)

        course.judged += await self._metadata.write(keep)

    async def _note(
        self, principal: Principal, dataset: Dataset, model: str, greatest: int, agreement: Agreement | None
    ) -> Dataset:
        """In the data set's metadata: who judged, and how far he is to be believed."""
        told: dict[str, JSON] = {"model": model, "greatest": greatest, "at": self._clock.now().isoformat()}
        if agreement is not None:
            told |= {"compared": agreement.documents, "same": agreement.same, "kappa": agreement.kappa}
            told["weighted_kappa"] = agreement.weighted_kappa

        def note(session: Session) -> Dataset:
            now = find_dataset(session, principal, dataset.dataset_id)
            return session.datasets.replace(principal, replace(now, metadata={**now.metadata, "model_judge": told}))

        return await self._metadata.write(note)


def _greatest_of(dataset: Dataset) -> int:
    """As people grade in it; where they did not, relevant or not."""
    given = [grade for query in dataset.queries for grade in query.by_people.values()]
    return max(1, min(_GREATEST, max(given, default=1)))


def _questions(
    session: Session, principal: Principal, dataset: Dataset, request: ModelJudging
) -> tuple[list[_Question], list[_Question], int]:
    """(what waits, what people judged, documents that are gone)."""
    waiting, compared, gone = list[_Question](), list[_Question](), 0
    left, sample = request.max_documents, request.compared
    for query in dataset.queries:
        pool = _wanted(query, request)[:left]
        people = [Pooled(name, 0, "") for name in query.by_people]
        held = {one.document_id: one for one in query.pool}
        people = [held.get(one.document_id, one) for one in people][:sample]
        found = documents_of(session, principal, dataset, [*pool, *people])
        texts = {name: _text(document) for name, document in found.items()}
        mine = {one.document_id: texts[one.document_id] for one in pool if one.document_id in texts}
        theirs = {one.document_id: texts[one.document_id] for one in people if one.document_id in texts}
        gone += len(pool) - len(mine)
        left -= len(mine)
        sample -= len(theirs)
        waiting += [_Question(query, dict(some)) for some in _chunks(mine.items(), _AT_A_TIME)]
        grades = query.by_people
        for some in _chunks(theirs.items(), _AT_A_TIME):
            compared.append(_Question(query, dict(some), {name: grades[name] for name, _ in some}))
    return waiting, compared, gone


def _wanted(query: GroundTruth, request: ModelJudging) -> list[Pooled]:
    known = {*query.by_people, *query.inferred} | (set() if request.again else {*query.by_model})
    return [one for one in query.pool[: request.depth] if one.document_id not in known]


def _text(document: Document) -> str:
    return text_of(Hit(document.document_id, 0.0, document), ("text",))


def _agreement(pairs: Sequence[tuple[int, int]]) -> Agreement | None:
    if not pairs:
        return None
    people, model = [one for one, _ in pairs], [one for _, one in pairs]
    counts: dict[int, dict[int, int]] = {}
    for a, b in sorted(pairs):
        row = counts.setdefault(a, {})
        row[b] = row.get(b, 0) + 1
    same = sum(a == b for a, b in pairs) / len(pairs)
    return Agreement(len(pairs), same, kappa(people, model), kappa(people, model, is_weighted=True), counts)


def _chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
