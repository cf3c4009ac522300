"""Judgements, queries and runs in the files that TREC and BEIR use.

qrels: `query 0 document grade` (TREC), or a table of query, document and grade (BEIR), with a line of names or without.
queries: a JSON object with `_id` (or `id`) and `text` in each line (BEIR), or `query<tab>text` (TREC's topics).
run: `query Q0 document rank score tag`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tamis.errors import ValidationError
from tamis.evaluation.measures import grades_of, scored
from tamis.model.dataset import GroundTruth
from tamis.model.json import JSON

TAG = "tamis"
_BEIR_HEADER = ("query-id", "corpus-id", "score")


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """By query, then document. Raises: ValidationError naming the line."""
    found: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        cells = line.split("\t")
        if number == 1 and len(cells) == 3 and not _is_number(cells[2]):
            continue
        parts = cells if len(cells) == 3 else line.split()
        if len(parts) == 4:
            del parts[1]
        elif parts is not cells:
            raise _fault(path, number, "expected `query 0 document grade`, or query-id, corpus-id and score")
        query, document, grade = parts
        found.setdefault(query, {})[document] = _number(path, number, int, grade)
    return found


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """By query, then document, the score: order and ties follow from it alone, as for trec_eval."""
    found: dict[str, dict[str, float]] = {}
    for number, line in _lines(path):
        parts = line.split()
        if len(parts) not in (5, 6):
            raise _fault(path, number, "expected `query Q0 document rank score tag`")
        ranking = found.setdefault(parts[0], {})
        if parts[2] in ranking:
            raise _fault(path, number, f"document {parts[2]!r} stands twice in the ranking of query {parts[0]!r}")
        ranking[parts[2]] = _number(path, number, float, parts[4])
    return found


def read_queries(path: Path, field: str) -> dict[str, dict[str, JSON]]:
    """The inputs of each query, by its id. field: the input that a query's text goes into.

    Raises: ValidationError naming the line.
    """
    found: dict[str, dict[str, JSON]] = {}
    for number, line in _lines(path):
        query_id, inputs = _query_of(path, number, line, field)
        if query_id in found:
            raise _fault(path, number, f"query {query_id!r} comes twice")
        found[query_id] = inputs
    return found


def write_qrels(queries: Iterable[GroundTruth], beir: bool) -> Iterator[str]:
    """Lines without their ends."""
    if beir:
        yield "\t".join(_BEIR_HEADER)
    for query in queries:
        for document, grade in grades_of(query).items():
            yield f"{query.query_id}\t{document}\t{grade}" if beir else f"{query.query_id} 0 {document} {grade}"


def write_queries(queries: Iterable[GroundTruth], beir: bool) -> Iterator[str]:
    """BEIR keeps all inputs beside the text; a table of topics has the text alone."""
    for query in queries:
        inputs = dict(query.query_input)
        if beir:
            row = {"_id": query.query_id, "text": _text_of(inputs), "metadata": {"query_input": inputs}}
            yield json.dumps(row, ensure_ascii=False)
        else:
            yield f"{query.query_id}\t{' '.join(_text_of(inputs).split())}"


def write_run(rankings: Mapping[str, Iterable[str]], tag: str = TAG) -> Iterator[str]:
    """Scores without ties, so that trec_eval sees the order that was answered."""
    for query_id, ranking in rankings.items():
        for rank, (document, score) in enumerate(scored([*ranking]).items(), start=1):
            yield f"{query_id} Q0 {document} {rank} {score:g} {tag}"


def _query_of(path: Path, number: int, line: str, field: str) -> tuple[str, dict[str, JSON]]:
    if not line.lstrip().startswith("{"):
        query_id, tab, text = line.partition("\t")
        if not tab or not query_id.strip() or not text.strip():
            raise _fault(path, number, "expected `query<tab>text`, or an object with `_id` and `text`")
        return query_id.strip(), {field: text.strip()}
    try:
        row: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise _fault(path, number, f"not JSON: {error}") from error
    query_id, text = row.get("_id", row.get("id")), row.get("text")
    if not isinstance(query_id, str | int) or not isinstance(text, str):
        has = ", ".join(f"`{name}`" for name in row) or "nothing"
        raise _fault(path, number, f"expected an object with `_id` (or `id`) and `text`; this one has {has}")
    metadata = row.get("metadata")
    kept = metadata.get("query_input") if isinstance(metadata, dict) else None
    return str(query_id), kept if isinstance(kept, dict) else {field: text}


def _text_of(inputs: Mapping[str, JSON]) -> str:
    texts = [value for value in inputs.values() if isinstance(value, str)]
    return texts[0] if len(texts) == 1 else json.dumps(dict(inputs), ensure_ascii=False)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        # Not splitlines: a query may hold U+2028 and its like, which end no line of JSON or of a table.
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
            if line.strip():
                yield number, line
    except UnicodeDecodeError as error:
        raise ValidationError(f"{path}: not UTF-8: {error}") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(path: Path, number: int, kind: Callable[[str], Any], text: str) -> Any:
    try:
        value = kind(text)
    except ValueError as error:
        wanted = "a grade, which is a whole number" if kind is int else "a score, which is a number"
        raise _fault(path, number, f"{text!r} stands where {wanted}, belongs") from error
    if value != value or value in (float("inf"), float("-inf")):
        raise _fault(path, number, f"{text!r} orders nothing")
    return value


def _fault(path: Path, number: int, problem: str) -> ValidationError:
    return ValidationError(f"{path}:{number}: {problem}")
