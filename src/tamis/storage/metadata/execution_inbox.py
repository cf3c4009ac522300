"""Where records are durable first: one narrow table, so that a commit writes three pages and not eleven.

The table of executions has four indexes and counters beside it, each another page of every commit, and what a commit
writes is what it costs. So a record goes here, on the path of its execution, and many of them go on together. A look-up
by id reads both tables; whatever else reads or writes executions has the inbox emptied first. SQLite only: PostgreSQL
has many writers, and its commits wait for each other as it is.
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, case, delete, exists, literal, select
from sqlalchemy.dialects.postgresql import insert

from tamis.engine.ports.executions import Entry
from tamis.errors import AlreadyExistsError
from tamis.model.principal import Principal
from tamis.storage.metadata.credits import CreditCounts
from tamis.storage.metadata.execution_figures import ExecutionFigures, Kept
from tamis.storage.metadata.execution_rows import ANONYMOUS, HEADERS, row_of
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.mode_counts import ModeCounts
from tamis.storage.metadata.schema import BYTES, execution_inbox, executions

_NAMES = [column.name for column in execution_inbox.columns]
_c = execution_inbox.c
_e = executions.c
_KEY = ("organization_id", "namespace_id", "execution_id")
_PUT = (
    insert(execution_inbox)
    .from_select(
        _NAMES,
        select(*(bindparam(column.name, type_=column.type) for column in execution_inbox.columns)).where(
            ~exists().where(*(_e[name] == bindparam(name, type_=_e[name].type) for name in _KEY))
        ),
    )
    .on_conflict_do_nothing()
)
_ANY = select(_c.execution_id).limit(1)
# Of what is anonymous no figures are kept, so its record need not be read.
_RECORD = case((_c.retriever_id != ANONYMOUS, _c.record), else_=literal(b"", BYTES))
_KEPT = select(_c.organization_id, _c.namespace_id, _c.header, _RECORD)
_MOVE = insert(executions).from_select(_NAMES, select(*(_c[name] for name in _NAMES)))
_EMPTY = delete(execution_inbox)


class Unsettled(Exception):
    """A reader asks for executions while some are in the inbox."""


class ExecutionInbox:
    """overlooked: whether a reader takes the executions as they are, with those in the inbox left out."""

    def __init__(self, link: Link) -> None:
        self.overlooked = False
        self._link = link
        self._counts = ModeCounts(link)
        self._credits = CreditCounts(link)
        self._figures = ExecutionFigures(link)

    def put(self, entries: Sequence[Entry]) -> None:
        """Keep records that refer to no blobs. Raises: AlreadyExistsError: some of them may have been kept then."""
        rows = [row_of(entry.principal, entry.execution) for entry in entries]
        kept = self._link.run(_PUT, rows[0]) if len(rows) == 1 else self._link.run_many(_PUT, rows)
        if kept < len(rows):
            named = f"the execution {rows[0]['execution_id']!r}" if len(rows) == 1 else "one of these executions"
            raise AlreadyExistsError(f"{named} exists already")

    def settle(self) -> None:
        """Before executions are read or written by anything but an id. Raises: Unsettled, on a reader's connection."""
        if self._link.backend != "sqlite" or self.overlooked or self._link.row(_ANY, {}) is None:
            return
        if self._link.reads_only:
            raise Unsettled
        self.fold()

    def fold(self) -> None:
        """Bring everything to its table, its counters, its figures and its credits."""
        rows = self._link.rows(_KEPT, {})
        self._link.run(_MOVE, {})
        self._link.run(_EMPTY, {})
        self.tally(
            [
                (Principal(organization, namespace), HEADERS.decode(header), bytes(record))
                for organization, namespace, header, record in rows
            ]
        )

    def tally(self, kept: Sequence[Kept]) -> None:
        """Count executions that have come to their table, what they did and what they cost."""
        self._counts.add(kept)
        self._figures.add(kept)
        self._credits.add((principal, header) for principal, header, _ in kept)
