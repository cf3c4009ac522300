"""Every call of a storage says for whom: a Principal comes first in the ports; mypy holds the backends to them."""

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tamis.engine.ports import (
    alerts,
    answers,
    blobs,
    bookkeeping,
    clusters,
    evaluations,
    executions,
    files,
    index,
    installation,
    interactions,
    metadata,
    publishing,
    remains,
    syncs,
    taxonomies,
    templates,
    triggers,
    walks,
    webhooks,
)
from tamis.model.principal import Principal

# Calls of the server itself, which nobody's request makes as it likes, and why each needs none.
WITHOUT = {
    "Batches.unfinished": "a start goes on with every tenant's batches; each comes with its Principal",
    "BlobStore.answers": "of the store as a whole",
    "BlobStore.every": "keeps house for all tenants; each file says whose it is",
    "BlobStore.health": "of the store as a whole",
    "BucketSyncs.due": "the server looks at every tenant's; each comes with its Principal",
    "BucketSyncs.running": "a start goes on with every tenant's runs; each comes with its Principal",
    "ClusterRuns.unfinished": "a start goes on with every tenant's runs; each comes with its Principal",
    "Deliveries.due": "the server tells every tenant's; each comes with its Principal",
    "Deliveries.trim": "what ended a month ago is forgotten, whoever's it was",
    "DueRuns.due": "the server looks at every tenant's; each comes with its Principal",
    "Evaluations.unfinished": "a start goes on with every tenant's evaluations; each comes with its Principal",
    "Executions.count_older": "an upgrade counts every tenant's executions by their modes; each row says whose it is",
    "Executions.is_whole": "whether that upgrade has come to its end",
    "Executions.tenants": "retention sweeps tenant by tenant",
    "Files.expire": "holds end by the clock, whoever holds",
    "Firings.open": "the server looks at every tenant's; each comes with its Principal",
    "Files.let_go": "the sweep deletes every tenant's; each comes with its Principal",
    "IndexQueue.pending": "the outbox is applied for every tenant; each entry has its Principal",
    "Installation.secret": "of all tenants: what every server signs links and sessions with",
    "Keys.find_hash": "who a key belongs to is what it answers",
    "Metadata.close": "of the store as a whole",
    "Metadata.health": "of the store as a whole",
    "Metadata.keep": "the entry has its own Principal",
    "Metadata.read": "runs a function whose calls take one",
    "Metadata.read_now": "runs a function whose calls take one",
    "Metadata.write": "runs a function whose calls take one",
    "Organizations.everyones": "retention sweeps tenant by tenant",
    "Organizations.first": "whether this is a first start",
    "Organizations.insert": "makes the tenant",
    "Published.active": "the public directory: what publishers chose to show to all",
    "Published.find": "a public name is one in the whole server; who it belongs to is what it answers",
    "Remains.pending": "what deletes left is cleared for every tenant; each comes with its Principal",
    "Session.every_namespace": "a start heals every tenant's index; each comes with its Principal",
    "StorageConnections.everyones": "a start seals every tenant's anew; each comes with its Principal",
    "StoredSecrets.everyones": "the server opens every tenant's; each comes with its Principal",
    "Usage.add": "each slot names its organisation",
    "VectorIndex.close": "of the store as a whole",
    "VectorIndex.compiles": "of a filter, whoever's",
    "VectorIndex.health": "of the store as a whole",
    "Triggers.due": "the server looks at every tenant's; each comes with its Principal",
    "Walks.unfinished": "a start goes on with every tenant's walks; each comes with its Principal",
}


def protocols() -> Iterator[type]:
    for module in (
        alerts,
        answers,
        blobs,
        bookkeeping,
        clusters,
        evaluations,
        executions,
        files,
        index,
        installation,
        interactions,
        metadata,
        publishing,
        remains,
        syncs,
        taxonomies,
        triggers,
        templates,
        walks,
        webhooks,
    ):
        yield from (kind for kind in classes(module) if getattr(kind, "_is_protocol", False))


def classes(module: ModuleType) -> Iterator[type]:
    for kind in vars(module).values():
        if inspect.isclass(kind) and kind.__module__ == module.__name__:
            yield kind


def calls(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, member in vars(kind).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield f"{kind.__name__}.{name}", member


CALLS = dict(call for kind in protocols() for call in calls(kind))


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_principal_comes_first(name: str) -> None:
    first = next(iter(list(inspect.signature(CALLS[name]).parameters.values())[1:]), None)
    takes_one = first is not None and first.annotation in ("Principal", Principal)
    assert takes_one != (name in WITHOUT), f"{name} takes no Principal first, or needs no exception any more"


def test_exceptions_are_of_calls_that_there_are() -> None:
    assert not set(WITHOUT) - set(CALLS)
