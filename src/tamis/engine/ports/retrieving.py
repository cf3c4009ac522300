"""Saved retrievers, run by a stage for its own documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tamis.engine.spending.allowance import Allowance
from tamis.model.json import JSON
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Retrieve:
    """One run. retriever: its id or name.  inputs: as a caller would give them.  limit: documents, at most."""

    retriever: str
    inputs: Mapping[str, JSON]
    limit: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """documents: best first, their fields and what stages added, with `document_id`, `collection_id` and `score`.

    calls, tokens: of the language models that it asked.  warnings: what the run said, as where a budget cut it.
    """

    documents: tuple[dict[str, JSON], ...]
    calls: int = 0
    tokens: int = 0
    warnings: tuple[str, ...] = ()


class Retrievers(Protocol):
    async def retrieve(self, principal: Principal, asked: Retrieve, allowance: Allowance) -> Retrieved:
        """What it costs is paid by the allowance, within what is left of it.

        Raises: NotFoundError, ValidationError for inputs or a pipeline that cannot be run, AllowanceSpentError, and
        what makes its run fail.
        """
        ...
