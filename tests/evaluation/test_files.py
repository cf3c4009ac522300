import importlib
from pathlib import Path
from typing import Any

import pytest

from tamis.errors import ValidationError
from tamis.evaluation.files import read_qrels, read_queries, read_run, write_qrels, write_queries, write_run
from tamis.evaluation.measures import grades_of
from tamis.model.dataset import GroundTruth

ir_measures: Any = importlib.import_module("ir_measures")
QUERIES = [
    GroundTruth("q 1", {"query": "Schuhe für\tden Regen"}, ("d1",), {"d1": 3, "d2": 0}),
    GroundTruth("q2", {"query": "coat", "size": 4}, ("d3",)),
]


def written(path: Path, lines: object) -> Path:
    assert not isinstance(lines, str)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")  # type: ignore[attr-defined]
    return path


def test_beirs_files_come_back_as_they_were(tmp_path: Path) -> None:
    asked = read_queries(written(tmp_path / "queries.jsonl", write_queries(QUERIES, beir=True)), "query")
    judged = read_qrels(written(tmp_path / "test.tsv", write_qrels(QUERIES, beir=True)))
    assert asked == {one.query_id: one.query_input for one in QUERIES}
    assert judged == {one.query_id: grades_of(one) for one in QUERIES}


def test_trecs_files_are_read_as_ir_measures_reads_them(tmp_path: Path) -> None:
    qrels = written(tmp_path / "qrels.txt", write_qrels(QUERIES[1:], beir=False))
    run = written(tmp_path / "run.txt", write_run({"q2": ["d2", "d3", "d1"]}, "mine"))
    assert (tmp_path / "run.txt").read_text().splitlines()[0] == "q2 Q0 d2 1 3 mine"
    theirs = [(one.query_id, one.doc_id, one.relevance) for one in ir_measures.read_trec_qrels(str(qrels))]
    assert [(query, doc, grade) for query, each in read_qrels(qrels).items() for doc, grade in each.items()] == theirs
    scores = {(one.query_id, one.doc_id): one.score for one in ir_measures.read_trec_run(str(run))}
    assert {(query, doc): score for query, each in read_run(run).items() for doc, score in each.items()} == scores
    topics = written(tmp_path / "topics.tsv", write_queries(QUERIES, beir=False))
    assert read_queries(topics, "q")["q 1"] == {"q": "Schuhe für den Regen"}


@pytest.mark.parametrize("names", ["query-id\tcorpus-id\tscore", "query_id\tdoc_id\tgrade", ""])
def test_a_table_of_judgements_may_name_its_columns_as_it_likes(names: str, tmp_path: Path) -> None:
    path = written(tmp_path / "qrels.tsv", [*filter(None, [names]), "q\td1\t2", "q\td2\t0"])
    assert read_qrels(path) == {"q": {"d1": 2, "d2": 0}}


def test_queries_may_have_their_ids_under_id(tmp_path: Path) -> None:
    path = written(tmp_path / "queries.jsonl", ['{"id": 7, "text": "coat"}', '{"_id": "8", "id": "x", "text": "hat"}'])
    assert read_queries(path, "q") == {"7": {"q": "coat"}, "8": {"q": "hat"}}


def test_only_the_end_of_a_line_ends_a_line(tmp_path: Path) -> None:
    """Whatever Unicode holds to be a separator may stand in a query, and files of Windows are read, too."""
    odd = [GroundTruth("q", {"query": "rain\u2028coat\u0085\x0bblue"}, ("d",))]
    assert read_queries(written(tmp_path / "q.jsonl", write_queries(odd, beir=True)), "q") == {"q": odd[0].query_input}
    (tmp_path / "qrels").write_bytes(b"q 0 d 1\r\nq 0 e 2\r\n")
    assert read_qrels(tmp_path / "qrels") == {"q": {"d": 1, "e": 2}}


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (read_qrels, "q 0 d 1\nq 0 d\nq", "qrels:2: expected"),
        (read_qrels, "q 0 d high", "'high' stands where a grade, which is a whole number, belongs"),
        (read_qrels, "q\td\tscore\nq\td\t0.5", "qrels:2: '0.5' stands where a grade"),
        (read_run, "q Q0 d 1 best t", "'best' stands where a score, which is a number, belongs"),
        (read_run, "q Q0 d 1", "expected `query Q0 document rank score tag`"),
        (read_run, "q Q0 d 1 nan t", "orders nothing"),
        (read_run, "q Q0 d 1 2 t\nq Q0 d 2 1 t", "qrels:2: document 'd' stands twice"),
        (lambda path: read_queries(path, "q"), '{"_id": "q"}', "and `text`; this one has `_id`"),
        (lambda path: read_queries(path, "q"), "{}", "this one has nothing"),
        (lambda path: read_queries(path, "q"), "{", "not JSON"),
        (lambda path: read_queries(path, "q"), "just words", "expected `query<tab>text`"),
        (lambda path: read_queries(path, "q"), "q\ta\nq\tb", "comes twice"),
    ],
)
def test_a_line_that_is_wrong_is_named(read: object, text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "qrels"
    path.write_text(text)
    assert callable(read)
    with pytest.raises(ValidationError, match=told.replace("(", r"\(")):
        read(path)
