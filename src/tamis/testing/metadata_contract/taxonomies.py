"""Versions of taxonomies, and the labels that documents have of them."""
# ruff: noqa: S101 - a contract is made of assertions

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.principal import Principal
from tamis.model.taxonomy import Assignment
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, NOW, STRANGERS

_SINCE, _UNTIL = NOW - timedelta(days=1), NOW + timedelta(days=1)


def _fill(session: Session) -> None:
    session.collections.insert(ME, samples.collection())
    session.documents.put(ME, "col_first", [samples.write(number) for number in (1, 2, 3)])


def _label(
    session: Session, labels: Sequence[Assignment], documents: Sequence[int] = (1, 2, 3), seconds: float = 0
) -> None:
    ids = [f"doc_{number:04}" for number in documents]
    session.assignments.put(ME, "tax_1", "col_first", ids, labels, samples.later(seconds))


def _labels(session: Session, who: Principal = ME) -> dict[str, int]:
    return {one.label: one.count for one in session.assignments.by_label(who, "tax_1", _SINCE, _UNTIL)}


def _versions(session: Session, who: Principal = ME) -> list[int]:
    return [one.version for one in session.taxonomy_versions.list(who, "tax_1")]


class TaxonomiesContract:
    async def test_versions_never_change_and_go_together(self, metadata: Metadata) -> None:
        first = samples.taxonomy().snapshot
        second = replace(first, version=2, config={"taxonomy_type": "flat"})

        def put(session: Session) -> None:
            for one in (first, second, replace(first, config={})):
                session.taxonomy_versions.put(ME, "tax_1", one)

        await metadata.write(put)
        assert await metadata.read(_versions) == [2, 1]
        assert await metadata.read(lambda session: session.taxonomy_versions.get(ME, "tax_1", 1)) == first
        assert await metadata.read(lambda session: session.taxonomy_versions.get(ME, "tax_1", 3)) is None
        for stranger in STRANGERS:
            assert await metadata.read(partial(_versions, who=stranger)) == []
        assert await metadata.write(lambda session: session.taxonomy_versions.delete(ME, "tax_1")) == 2
        assert await metadata.read(_versions) == []

    async def test_labels_are_replaced_and_go_with_their_documents(self, metadata: Metadata) -> None:
        labels = [samples.assignment(1, "shoe"), samples.assignment(2, "shoe"), samples.assignment(3, "hat")]
        await metadata.write(_fill)
        await metadata.write(partial(_label, labels=[*labels, samples.assignment(9, "gone")], documents=(1, 2, 3, 9)))
        assert await metadata.read(_labels) == {"Hat": 1, "Shoe": 2}
        for stranger in STRANGERS:
            assert await metadata.read(partial(_labels, who=stranger)) == {}
        two = [samples.assignment(3, "shoe"), replace(samples.assignment(3, "hat"), rank=1)]
        await metadata.write(partial(_label, labels=two, documents=(3,)))
        assert await metadata.read(_labels) == {"Hat": 1, "Shoe": 3}
        await metadata.write(lambda session: session.documents.delete(ME, "col_first", ["doc_0001"]))
        assert await metadata.read(_labels) == {"Hat": 1, "Shoe": 2}
        document = samples.document(2)
        await metadata.write(lambda session: session.documents.put_fields(ME, "col_first", [document]))
        assert await metadata.read(_labels) == {"Hat": 1, "Shoe": 2}, "fields are changed, labels stay"
        await metadata.write(lambda session: session.documents.put(ME, "col_first", [samples.write(2)]))
        assert await metadata.read(_labels) == {"Hat": 1, "Shoe": 1}, "replaced whole, it has none"
        assert await metadata.write(lambda session: session.assignments.delete(ME, "tax_1")) == 2
        assert await metadata.read(_labels) == {}

    async def test_labels_by_time_confidence_node_and_document(self, metadata: Metadata) -> None:
        await metadata.write(_fill)
        early = [samples.assignment(1, "shoe", 0.25), replace(samples.assignment(1, "hat", 1.0), rank=1)]
        await metadata.write(partial(_label, labels=early, documents=(1,), seconds=-7200))
        await metadata.write(partial(_label, labels=[samples.assignment(2, "shoe", 0.75)], documents=(2, 3)))

        def read(session: Session) -> None:
            said = session.assignments
            spans = said.by_time(ME, "tax_1", _SINCE, _UNTIL, 3600)
            assert [(one.start.hour, one.count, one.labels, one.mean_confidence) for one in spans] == [
                (3, 2, 2, 0.625), (5, 1, 1, 0.75),
            ]  # fmt: skip
            assert said.by_time(ME, "tax_1", NOW, _UNTIL, 86_400)[0].count == 1, "from NOW on"
            assert said.by_time(ME, "tax_1", _SINCE, NOW, 86_400)[0].count == 2, "before NOW"
            assert said.by_confidence(ME, "tax_1", _SINCE, _UNTIL) == [(2, 1, 0.25), (7, 1, 0.75), (9, 1, 1.0)]
            first = said.by_label(ME, "tax_1", _SINCE, _UNTIL, 1)
            assert [(one.label, one.count, one.mean_confidence) for one in first] == [("Shoe", 2, 0.5)]
            nodes = said.by_node(ME, "tax_1")
            assert {node: one.count for node, one in nodes.items()} == {"hat": 1, "shoe": 2}
            best = said.best_of(ME, "tax_1", "col_first", "", 10)
            assert list(best) == [samples.assignment(1, "shoe", 0.25), samples.assignment(2, "shoe", 0.75)]
            assert list(said.best_of(ME, "tax_1", "col_first", "doc_0001", 10)) == [best[1]]
            assert list(said.best_of(ME, "tax_1", "col_other", "", 10)) == []

        await metadata.read(read)

    async def test_how_often_it_was_applied_adds_up_by_the_hour(self, metadata: Metadata) -> None:
        def note(session: Session) -> None:
            session.assignments.note(ME, "tax_1", NOW, 3, 1, 500)
            session.assignments.note(ME, "tax_1", samples.later(60), 2, 0, 100)
            session.assignments.note(ME, "tax_1", samples.later(7200), 1, 1, 1)

        await metadata.write(note)
        hours = await metadata.read(lambda session: session.assignments.by_hour(ME, "tax_1", _SINCE, _UNTIL))
        found = [(one.start.hour, one.labelled, one.unlabelled, one.duration_us) for one in hours]
        assert found == [(5, 5, 1, 600), (7, 1, 1, 1)]
        await metadata.write(lambda session: session.assignments.delete(ME, "tax_1"))
        assert await metadata.read(lambda session: session.assignments.by_hour(ME, "tax_1", _SINCE, _UNTIL)) == []
