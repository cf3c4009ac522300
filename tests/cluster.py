"""Several servers over one PostgreSQL, one Redis, one index and one blob store: an installation past one machine."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.live import LiveServer
from tests.servers import PostgresServer, RedisServer

_numbers = itertools.count()


def fresh_database(postgres: PostgresServer) -> str:
    """The URL of an empty one."""
    url, name = make_url(postgres.url), f"cluster_{next(_numbers)}"
    with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
    return url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def cluster(
    root: Path,
    postgres: PostgresServer,
    redis: RedisServer,
    qdrant_url: str,
    count: int = 2,
    workers: int = 0,
    **settings: str,
) -> Iterator[list[LiveServer]]:
    """Servers that start all at once, each with a data directory of its own and the same root key.

    workers: so many more, at the end, which alone take up batches; with none, each server does.
    """
    blobs = root / "blobs"
    blobs.mkdir()
    shared = {
        "TAMIS_DATABASE_URL": fresh_database(postgres),
        "TAMIS_INDEX_URL": qdrant_url,
        "TAMIS_CACHE_URL": redis.url,
        "TAMIS_BLOB_URL": blobs.as_uri(),
        "TAMIS_DATABASE_WAIT_S": "2",
        # The check of the client's version is a thread of its own that may only warn.
        "PYTHONWARNINGS": "ignore::UserWarning",
        **settings,
    }
    answering = {**shared, "TAMIS_EXTRACTION_THREADS": "0"} if workers else shared
    each = [answering] * count + [shared] * workers
    servers = [LiveServer(root / f"data-{number}", **one) for number, one in enumerate(each)]
    for server in servers:
        server.key = servers[0].key
    try:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(LiveServer.start, servers))
        yield servers
    finally:
        for server in servers:
            server.stop()
