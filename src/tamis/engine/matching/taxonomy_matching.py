"""Hits down a taxonomy: vectors and collections by the searcher, retrievers by running them."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tamis.engine.groups.grouping import sorted_json, value_at
from tamis.engine.ports.retrieving import Retrieve, Retrieved
from tamis.engine.searching.stored_likeness import Likeness
from tamis.engine.stage import Context
from tamis.engine.taxonomies.taxonomy import Members, Near, Node, Retrieval, Rule, Taxonomy, best, descend
from tamis.errors import AllowanceSpentError, TamisError, ValidationError
from tamis.model.collection import Collection
from tamis.model.hits import Hit
from tamis.model.json import JSON

_RUNS_AT_ONCE = 10
_LOOKED_AT = 100


@dataclass(slots=True)
class Matching:
    """reasons: by hit, why it could not be compared.  fields: of documents that retrievers found, by id."""

    ways: list[dict[str, Near]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Mapping[str, JSON]] = field(default_factory=dict)
    errors: dict[str, None] = field(default_factory=dict)
    calls: int = 0
    tokens: int = 0


class Matcher:
    """texts: of the hits, in place of their stored vectors; None uses those."""

    def __init__(
        self, context: Context, taxonomy: Taxonomy, rule: Rule, feature: str | None, texts: Sequence[str | None] | None
    ) -> None:
        self._context = context
        self._taxonomy = taxonomy
        self._rule = rule
        self._feature = feature
        self._texts = None if texts is None else tuple(texts)
        self._sources: tuple[Collection, ...] = ()
        self._runs: dict[bytes, asyncio.Task[Retrieved | TamisError]] = {}
        charged = getattr(context.allowance, "behind", context.allowance)
        # What a run costs is known once it has ended: within a budget each sees what the one before it left.
        self._turns = asyncio.Semaphore(_RUNS_AT_ONCE if math.isinf(charged.left) else 1)
        self._found = Matching()

    async def match(self, hits: Sequence[Hit]) -> Matching:
        means = [node.means for node in self._taxonomy.nodes]
        names = [one.collection for one in means if isinstance(one, Members | Retrieval) and one.collection]
        if names:
            context = self._context
            self._sources = await context.searcher.collections(context.principal, names, context.collections)

        async def score(nodes: Sequence[Node], allowed: Sequence[Sequence[int]]) -> list[Mapping[str, Near]]:
            return await self._level(hits, nodes, allowed)

        self._found.ways = await descend(self._taxonomy, len(hits), self._rule, score)
        self._raise_what_is_wrong_for_all()
        runs = [run for task in self._runs.values() if isinstance(run := task.result(), Retrieved)]
        self._found.calls, self._found.tokens = sum(run.calls for run in runs), sum(run.tokens for run in runs)
        return self._found

    def _raise_what_is_wrong_for_all(self) -> None:
        """What fails in every run, and is the caller's to mend, is no matter of documents."""
        results = [task.result() for task in self._runs.values()]
        wrong = [one for one in results if isinstance(one, TamisError) and one.status < 500]
        if wrong and len(wrong) == len(results) and not any(isinstance(one, AllowanceSpentError) for one in wrong):
            raise wrong[0]

    async def _level(
        self, hits: Sequence[Hit], nodes: Sequence[Node], allowed: Sequence[Sequence[int]]
    ) -> list[Mapping[str, Near]]:
        found: list[dict[str, Near]] = [{} for _ in hits]
        if any(not isinstance(node.means, Retrieval) for node in nodes):
            spread = any(node.spread for node in nodes)
            asked = Likeness(
                tuple(hit.id for hit in hits), self._texts, self._context.collections, self._feature, tuple(nodes),
                self._sources, tuple(map(tuple, allowed)), self._rule, self._rule.top_k if spread else 1,
            )  # fmt: skip
            alike = await self._context.searcher.likeness(self._context.principal, asked)
            self._found.reasons.update(alike.reasons)
            for own, matches in zip(found, alike.matches, strict=True):
                own.update(matches)
        wanted = [
            (own, hit, node, node.means)
            for own, hit, may in zip(found, hits, allowed, strict=True)
            for node in (nodes[n] for n in may) if isinstance(node.means, Retrieval)
        ]  # fmt: skip
        answers = await asyncio.gather(*(self._retrieved(hit, means) for _, hit, _, means in wanted))
        for (own, hit, node, means), answer in zip(wanted, answers, strict=True):
            self._note(own, hit, node, means, answer)
        return [best(own, self._rule) for own in found]

    async def _retrieved(self, hit: Hit, means: Retrieval) -> Retrieved | TamisError:
        """One run for all whose inputs are the same."""
        try:
            filled = {key: self._filled(value, hit) for key, value in means.inputs.items()}
        except TamisError as error:
            return error
        key = sorted_json([means.retriever, filled])
        if key not in self._runs:
            asked = Retrieve(means.retriever, filled, _LOOKED_AT if means.collection else self._rule.top_k)
            self._runs[key] = asyncio.create_task(self._run(asked))
        return await self._runs[key]

    async def _run(self, asked: Retrieve) -> Retrieved | TamisError:
        context = self._context
        async with self._turns:
            try:
                return await context.reach.retrievers.retrieve(context.principal, asked, context.allowance)
            except TamisError as error:
                return error

    def _filled(self, value: JSON, hit: Hit) -> JSON:
        if isinstance(value, dict) and isinstance(path := value.get("$path"), str):
            return value_at(hit.view(), path)
        if isinstance(value, dict) and "$vector" in value:
            return _as_query(hit)
        filled: JSON = self._context.render(value, hit)
        return filled

    def _note(
        self, own: dict[str, Near], hit: Hit, node: Node, means: Retrieval, answer: Retrieved | TamisError
    ) -> None:
        if isinstance(answer, TamisError):
            self._found.errors[f"node {node.id!r}: {answer.message}"] = None
            self._found.reasons.setdefault(hit.id, answer.message)
            return
        self._found.errors.update(dict.fromkeys(answer.warnings))
        wanted = {one.collection_id for one in self._sources if means.collection in (one.collection_id, one.name)}
        near: list[tuple[str, float]] = []
        for document in answer.documents:
            document_id, score = document.get("document_id"), document.get("score")
            if wanted and document.get("collection_id") not in wanted:
                continue
            if isinstance(document_id, str) and isinstance(score, int | float) and score >= self._rule.min_score:
                near.append((document_id, float(score)))
                self._found.fields[document_id] = document
        if near:
            near = sorted(near, key=lambda one: (-one[1], one[0]))[: self._rule.top_k if node.spread else 1]
            own[node.id] = Near(near[0][1], tuple(near))


def _as_query(hit: Hit) -> JSON:
    """The retriever's search takes the stored vector of its own feature: no vector goes through a record.

    Raises: ValidationError.
    """
    if hit.document is None:
        message = "a `vector` mapping is for stored documents; map a field by `payload` for others"
        raise ValidationError.at(["input_mappings"], message)
    of: dict[str, JSON] = {"collection_id": hit.document.collection_id, "document_id": hit.id}
    return {"input_mode": "document", "document_ref": of}
