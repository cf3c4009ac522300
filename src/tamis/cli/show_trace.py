"""How a trace looks in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from rich import box
from rich.table import Table

from tamis.cli.plain import cell, plain
from tamis.cli.terminal import out, show_table

_WIDEST = 100
_STYLES = {"completed": "green", "failed": "red", "skipped": "yellow", "cut": "yellow", "degraded": "yellow"}


def trace(found: Mapping[str, Any]) -> None:
    """What ran and with what, a line a stage, then the documents of the stages that were asked for."""
    _header(found)
    _stages(found["stages"])
    shown = [stage for stage in found["stages"] if stage["documents"]]
    whole = len(found["stages"]) == found["total_stages"]
    for stage in shown[-1:] if whole else shown:
        for side, title in (("received", "into"), ("returned", "out of")):
            page = stage["documents"][side]
            if page["items"] and not (whole and side == "received"):
                _documents(f"{title} {plain(stage['stage_name'])}", page)
    for warning in found["warnings"]:
        out.print(cell(f"warning: {plain(warning)}", style="yellow"))


def _header(found: Mapping[str, Any]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in _facts(found):
        table.add_row(name, cell(value, style=_STYLES.get(str(value), "")))
    out.print(table)


def _facts(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    came_from, replay, error = found["imported"], found["replay"], found["error"]
    facts = [
        ("execution", found["execution_id"]),
        ("status", found["status"]),
        ("when", f"{str(found['timestamp'])[:19].replace('T', ' ')}, {found['duration_ms']:.1f} ms"),
        ("inputs", plain(orjson.dumps(found["inputs"], default=str).decode(), _WIDEST)),
        ("definition", found["definition_hash"][:16]),
        ("ran on", f"Tamis {found['code_version']}, seed {found['seed']}"),
        ("models", ", ".join(f"{name} {version}" for name, version in found["models"].items())),
        ("collections", ", ".join(_collection(one) for one in found["collections"])),
        ("credits", f"{found['credits_used']:g}, {found['credits_saved']:g} saved"),
    ]
    optional = [
        ("retriever", _retriever(found)),
        ("replay of", f"{replay['replay_of']} ({replay['mode']})" if replay else None),
        ("imported", f"ran elsewhere, {came_from['execution_mode']}" if came_from else None),
        ("traceparent", found["traceparent"]),
        ("left out", ", ".join(found["left_out"])),
        ("error", f"{error['type']}: {error['message']}" if error else None),
    ]
    return facts + [(name, value) for name, value in optional if value]


def _retriever(found: Mapping[str, Any]) -> str | None:
    came_from = found["imported"] or {}
    retriever = found["retriever_id"] or came_from.get("retriever_id")
    return f"{retriever}, version {found['retriever_version']}" if retriever else None


def _collection(one: Mapping[str, Any]) -> str:
    now = one["current_revision"]
    moved = f", now {now}" if now is not None and now != one["revision"] else ""
    return f"{one['collection_id']} (revision {one['revision']}{moved})"


def _stages(stages: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("#", "stage", "kind", "outcome"):
        table.add_column(name, no_wrap=True)
    for name in ("in", "seen", "out", "ms", "credits"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("cache", no_wrap=True)
    table.add_column("note", overflow="ellipsis", no_wrap=True)
    for stage in stages:
        table.add_row(
            str(stage["stage_index"]), cell(stage["stage_name"], 30), cell(stage["stage_id"], 24),
            cell(stage["outcome"], style=_STYLES.get(stage["outcome"], "")), cell(stage["received"]),
            cell(stage["processed"]), cell(stage["returned"]), _number(stage["duration_ms"], ".2f"),
            _number(stage["credits_used"], "g"), {True: "hit", False: "miss", None: "-"}[stage["cache_hit"]],
            cell(_note(stage), 60),
        )  # fmt: skip
    show_table(table, giving_way=("note",))


def _note(stage: Mapping[str, Any]) -> str:
    shrunk = [f"{name} {was} > {ran}" for name, (was, ran) in _pairs(stage["shrunk"] or {})]
    llm = f"{stage['llm_calls']} calls of a language model" if stage["llm_calls"] else None
    tokens = f"{stage['tokens_used']} tokens" if stage["tokens_used"] else None
    return "; ".join(filter(None, [stage["error"], *shrunk, llm, tokens, *(stage["warnings"] or [])]))


def _pairs(shrunk: Mapping[str, Any]) -> list[tuple[str, tuple[Any, Any]]]:
    return [(name, (pair[0], pair[1])) for name, pair in shrunk.items() if isinstance(pair, list) and len(pair) == 2]


def _documents(title: str, page: Mapping[str, Any]) -> None:
    names = sorted({name for hit in page["items"] for name in hit["scores"]})
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("rank", "score"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("document", no_wrap=True)
    for name in names:
        table.add_column(cell(name.rpartition("/")[2], 20), justify="right", no_wrap=True)
    more = [name for name in ("now", "extra") if any(hit[name] for hit in page["items"])]
    for name in more:
        table.add_column({"extra": "added"}.get(name, name), overflow="ellipsis", no_wrap=True)
    for hit in page["items"]:
        scores = [_number(hit["scores"].get(name), ".4f") for name in names]
        told = {"now": hit["now"], "extra": orjson.dumps(hit["extra"], default=str).decode() if hit["extra"] else None}
        table.add_row(
            str(hit["rank"]), _number(hit["score"], ".4f"), cell(hit["document_id"], 40), *scores,
            *(cell(told[name], 40) for name in more),
        )  # fmt: skip
    first, last = page["items"][0]["rank"], page["items"][-1]["rank"]
    out.print(f"{title}: {first} to {last} of {page['total']}", markup=False, highlight=False)
    show_table(table, giving_way=("added",))


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
