"""Answers that people look at: an execution and what can be asked about it. Each draws itself in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tamis.client import drawing, tables
from tamis.client.calls import part

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from tamis.client.served.types_executions import DiffResponse, ReplayResponse, TraceResponse, WhyResponse
    from tamis.client.served.types_retrievers_answers import ExecutionAnswer


class Named(Protocol):
    """What stands for an execution."""

    @property
    def execution_id(self) -> str: ...


class Document(dict[str, Any]):
    """A document that an execution returned, its fields and what stages added as the answer has them."""

    @property
    def document_id(self) -> str:
        return str(self["document_id"])

    @property
    def score(self) -> float:
        """What the last scoring stage said."""
        return float(self["score"])


class Execution(Sequence[Document]):
    """What an execution answered: its documents, best first. data: all of the answer."""

    __slots__ = ("data", "documents")

    def __init__(self, data: ExecutionAnswer) -> None:
        self.data = data
        self.documents = [Document(one) for one in data["documents"]]

    @property
    def execution_id(self) -> str:
        return self.data["execution_id"]

    @property
    def retriever_id(self) -> str | None:
        """Of a saved retriever; None where the pipeline was sent whole."""
        return self.data["retriever_id"] if self.data["execution_metadata"]["retriever_persisted"] else None

    @property
    def status(self) -> str:
        """`completed`, or `degraded` where a budget, a timeout or a passed over stage cut it: `warnings` say what."""
        return self.data["status"]

    @property
    def warnings(self) -> list[str]:
        return self.data["warnings"]

    @property
    def duration_ms(self) -> float:
        return float(self.data["stage_statistics"].get("total_time_ms", 0.0))

    @property
    def credits_used(self) -> float:
        return float(self.data["stage_statistics"].get("credits_used", 0.0))

    def to_pandas(self) -> pandas.DataFrame:
        """A row a document: `rank`, `document_id`, `score`, its fields, and `score:NAME` of each score on the way."""
        return tables.to_pandas(tables.result_rows(self.documents))

    def to_arrow(self) -> pyarrow.Table:
        """As `to_pandas`. What has no one type in a column stands there as JSON text."""
        return tables.to_arrow(tables.result_rows(self.documents))

    def __getitem__(self, place: Any) -> Any:
        return self.documents[place]

    def __len__(self) -> int:
        return len(self.documents)

    def __iter__(self) -> Iterator[Document]:
        return iter(self.documents)

    def __repr__(self) -> str:
        return (
            f"<Execution {self.execution_id} {self.status}: {len(self)} documents, "
            f"{self.duration_ms:.1f} ms, {self.credits_used:g} credits>"
        )

    def _repr_html_(self) -> str:
        stages = self.data["stage_statistics"].get("stages", {})
        flows = [
            drawing.Flow(
                name, one["input_count"], one["output_count"], one["duration_ms"], one.get("credits_used", 0.0),
                one.get("cache_hit"), one.get("error"),
            )
            for name, one in stages.items()
        ]  # fmt: skip
        return drawing.page(
            repr(self)[1:-1], drawing.sieve(flows), drawing.notes(self.warnings), self._drawn_documents()
        )

    def _drawn_documents(self) -> str:
        rows = [[rank, one.document_id, f"{one.score:.4f}", _face(one)] for rank, one in enumerate(self, start=1)]
        return drawing.table(["", "document", "score", ""], rows)


class Trace:
    """Everything that a record holds of an execution, stage by stage."""

    __slots__ = ("data",)

    def __init__(self, data: TraceResponse) -> None:
        self.data = data

    @property
    def execution_id(self) -> str:
        return self.data["execution_id"]

    @property
    def retriever_id(self) -> str | None:
        return self.data.get("retriever_id")

    def __repr__(self) -> str:
        stages = ", ".join(stage["stage_name"] for stage in self.data["stages"])
        return f"<Trace {self.execution_id} {self.data['status']}: {stages}>"

    def _repr_html_(self) -> str:
        flows = [
            drawing.Flow(
                stage["stage_name"], max(stage.get("received") or 0, stage.get("processed") or 0),
                stage.get("returned"), stage.get("duration_ms"), stage.get("credits_used"), stage.get("cache_hit"),
                stage.get("error") or (None if stage["outcome"] == "completed" else stage["outcome"]),
            )
            for stage in self.data["stages"]
        ]  # fmt: skip
        return drawing.page(repr(self)[1:-1], drawing.sieve(flows), drawing.notes(self.data.get("warnings", [])))


class Diff:
    """What differs between two executions, and why."""

    __slots__ = ("data",)

    def __init__(self, data: DiffResponse) -> None:
        self.data = data

    @property
    def identical(self) -> bool:
        return self.data["identical"]

    @property
    def cause(self) -> str | None:
        """What differs at the first stage where they part: `definition`, `inputs`, `data`, `code`, `model`, ..."""
        return self.data.get("cause")

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return not self.identical

    def __repr__(self) -> str:
        return f"<Diff {self.data['a']} > {self.data['b']}: {self._verdict()}>"

    def _repr_html_(self) -> str:
        rows = [_differences(stage) for stage in self.data["stages"]]
        grounds = [f"{one['cause']}: {one['says']}" for one in self.data["explanation"]]
        heads = ["stage", "out", "entered", "left", "moved", "rescored", "ms"]
        return drawing.page(repr(self)[1:-1], drawing.table(heads, rows), drawing.notes(grounds))

    def _verdict(self) -> str:
        parted = self.data.get("first_divergence")
        return "identical" if parted is None else f"they part at {parted['stage_name']}, {parted['cause']}"


class WhyNot:
    """Why a document was or was not returned, stage by stage, and what would let it in."""

    __slots__ = ("data",)

    def __init__(self, data: WhyResponse) -> None:
        self.data = data

    @property
    def returned(self) -> bool:
        return self.data["returned"]

    @property
    def stopped_at(self) -> str | None:
        """The stage that kept it out, or `pagination`."""
        return self.data.get("stopped_at")

    @property
    def reason(self) -> str | None:
        """What the stage that kept it out says."""
        said = [stage["reason"] for stage in self.data["stages"] if stage["stage_name"] == self.stopped_at]
        return said[-1] if said else None

    @property
    def edits(self) -> list[str]:
        """The smallest known change that lets it in, in words; empty where none is known."""
        change = self.data.get("change")
        return [_edit(one) for one in change["edits"]] if change else []

    def __repr__(self) -> str:
        found = f"returned at {self.data.get('rank')}" if self.returned else f"stopped at {self.stopped_at}"
        return f"<WhyNot {self.data['document_id']} {found}>"

    def _repr_html_(self) -> str:
        heads = ["stage", "in", "out", "verdict", "why"]
        rows = [
            [one["stage_name"], one.get("rank_in"), one.get("rank_out"), one["verdict"], one["reason"]]
            for one in self.data["stages"]
        ]
        return drawing.page(repr(self)[1:-1], drawing.table(heads, rows), drawing.notes(self.edits))


class Replay:
    """Whether an execution, run again, gave the same."""

    __slots__ = ("data",)

    def __init__(self, data: ReplayResponse) -> None:
        self.data = data

    @property
    def verdict(self) -> str:
        """`identical`, `drifted` or `not_replayable`."""
        return self.data["verdict"]

    @property
    def execution_id(self) -> str:
        """Of the new execution. Raises: ValueError where nothing could be run."""
        found = self.data["execution_id"]
        if found is None:
            raise ValueError(f"nothing was run: {self.data['reason']}")
        return found

    def __repr__(self) -> str:
        return f"<Replay of {self.data['replay_of']}, {self.data['mode']}: {self.verdict}>"

    def _repr_html_(self) -> str:
        first = self.data["first_divergence"]
        parted = [f"at {first['stage_name']}: {first['cause']}"] if first else []
        reason = [self.data["reason"]] if self.data["reason"] else []
        return drawing.page(repr(self)[1:-1], drawing.notes([*parted, *reason, *self.data["explanation"]]))


def execution_path(execution: str | Named | None, retriever_id: str | None) -> str:
    """Below which an execution's operations lie, or all executions': of a saved retriever, or anonymous ones."""
    retriever_id = retriever_id or getattr(execution, "retriever_id", None)
    start = f"/retrievers/{part(retriever_id)}/executions" if retriever_id else "/retrievers/executions"
    return start if execution is None else f"{start}/{part(execution)}"


def _face(document: Document) -> str:
    """What a person knows it by: the first of its texts."""
    fields = document.get("metadata") or document
    texts = (value for name, value in fields.items() if isinstance(value, str) and not name.endswith("_id"))
    return next(texts, "")[:120]


def _differences(stage: Any) -> list[Any]:
    returned, spent, totals = stage["returned"], stage["duration_ms"], stage["totals"]
    counts = [totals[name] or "" for name in ("entered", "left", "moved", "rescored")]
    return [stage["stage_name"], _both(returned, "{}"), *counts, _both(spent, "{:.2f}")]


def _both(values: Any, form: str) -> str:
    a, b = ("-" if values[side] is None else form.format(values[side]) for side in ("a", "b"))
    return a if a == b else f"{a} > {b}"


def _edit(edit: Any) -> str:
    path = ".".join(str(one) for one in edit["path"])
    if edit.get("to") is None:
        return f"leave out {path}"
    return f"change {path} from {edit.get('from')} to {edit['to']}"
