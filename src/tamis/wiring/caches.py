"""What searches and runs through the caches."""

from dataclasses import replace

from tamis.engine.contents.contents import Contents
from tamis.engine.environment import Environment
from tamis.engine.ports.cache import Cache, CacheObserver
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.outside import Outside
from tamis.engine.querying.embedding_cache import EmbeddingCache
from tamis.engine.running.executor import Executor
from tamis.engine.searching.searcher import Searcher
from tamis.services.runs.answer_cache import AnswerCache
from tamis.wiring.backends import Backends


def searcher_over(backends: Backends, cache: Cache | None, observer: CacheObserver, outside: Outside) -> Searcher:
    """cache: of query embeddings; None asks the models each time.  outside: for files of queries that lie elsewhere."""
    contents = Contents(backends.metadata, backends.blobs, backends.decoding, outside)
    embeddings = None if cache is None else EmbeddingCache(cache, observer)
    return Searcher(backends.index, backends.metadata, backends.models, contents, embeddings)


def answers_over(
    backends: Backends, executor: Executor, cache: Cache | None, observer: CacheObserver, locks: Locks
) -> AnswerCache:
    before: Environment = executor.environment
    environment = replace(before, searcher=searcher_over(backends, None, observer, before.reach.outside))
    return AnswerCache(executor, backends.metadata, cache, observer, environment, locks)
