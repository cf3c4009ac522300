"""One database connection as the rest of this folder uses it.

Statements are written with SQLAlchemy Core and compiled once for each backend; they run on the driver's own
connection, because Core's work at each call costs more than a point look-up itself (50 against 8 microseconds).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, Text, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from tamis.model.principal import Principal

Row: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = Mapping[str, Any]


class one_of(ColumnElement[bool]):  # noqa: N801 - reads as the SQL function that it is
    """`column` is one of the texts in the parameter `name`, which takes what `Link.array` gives."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column = column
        self.name = name


@compiles(one_of, "sqlite")
def _one_of_sqlite(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, names = compiler.process(element.column, **options), compiler.process(bindparam(element.name, type_=Text))
    return f"{column} IN (SELECT value FROM json_each({names}))"  # noqa: S608 - two parts that Core compiled


@compiles(one_of, "postgresql")
def _one_of_postgres(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    names = compiler.process(bindparam(element.name, type_=ARRAY(Text)))
    return f"{compiler.process(element.column, **options)} = ANY({names})"


class Statements:
    """The text of each statement in one backend's SQL, and its constants."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._compiled: dict[ClauseElement, tuple[str, dict[str, Any]]] = {}

    def text(self, statement: ClauseElement) -> tuple[str, dict[str, Any]]:
        found = self._compiled.get(statement)
        if found is None:
            compiled = statement.compile(dialect=self.dialect)
            constants = {name: value for name, value in (compiled.params or {}).items() if value is not None}
            found = self._compiled[statement] = (str(compiled), constants)
        return found


class Link:
    """driver: an open connection of `sqlite3` or `psycopg`, whose transactions the owner begins and ends.

    reads_only: whether nothing may be written over it.
    """

    def __init__(self, driver: Any, statements: Statements, reads_only: bool = False) -> None:
        self.driver = driver
        self.reads_only = reads_only
        self.backend = statements.dialect.name
        self.unique_violation: type[Exception] = statements.dialect.loaded_dbapi.IntegrityError
        self._statements = statements

    def rows(self, statement: ClauseElement, parameters: Parameters) -> list[Row]:
        return self._execute(statement, parameters).fetchall()  # type: ignore[no-any-return] # the driver is untyped

    def row(self, statement: ClauseElement, parameters: Parameters) -> Row | None:
        return self._execute(statement, parameters).fetchone()  # type: ignore[no-any-return] # the driver is untyped

    def value(self, statement: ClauseElement, parameters: Parameters) -> Any:
        """The first column of the first row; None where there is no row."""
        row = self.row(statement, parameters)
        return None if row is None else row[0]

    def run(self, statement: ClauseElement, parameters: Parameters) -> int:
        """How many rows were touched."""
        return int(self._execute(statement, parameters).rowcount)

    def run_many(self, statement: ClauseElement, parameters: Sequence[Parameters]) -> int:
        """The statement once for each set of parameters; how many rows were touched in all."""
        if not parameters:
            return 0
        text, constants = self._statements.text(statement)
        cursor = self.driver.cursor()
        try:
            cursor.executemany(text, [{**constants, **each} for each in parameters] if constants else parameters)
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def array(self, values: Sequence[str]) -> Any:
        """What `one_of` compares with."""
        return json.dumps(list(values), ensure_ascii=False) if self.backend == "sqlite" else list(values)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside, and only that, where it raises."""
        self.driver.execute("SAVEPOINT inner_part")
        try:
            yield
        except BaseException:
            self.driver.execute("ROLLBACK TO SAVEPOINT inner_part")
            self.driver.execute("RELEASE SAVEPOINT inner_part")
            raise
        self.driver.execute("RELEASE SAVEPOINT inner_part")

    def _execute(self, statement: ClauseElement, parameters: Parameters) -> Any:
        text, constants = self._statements.text(statement)
        return self.driver.execute(text, {**constants, **parameters} if constants else parameters)


def scope(principal: Principal) -> dict[str, Any]:
    """The parameters that bound a statement to what this caller may see."""
    return {"organization_id": principal.organization_id, "namespace_id": principal.namespace_id}
