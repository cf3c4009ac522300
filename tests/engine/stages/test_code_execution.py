"""code_execution: what a program makes of documents, and what becomes of them where it fails."""

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pydantic
import pytest

from tamis.engine.planning.plan import Planner
from tamis.engine.reach import NOWHERE, Reach
from tamis.engine.stage import Context, Outcome
from tamis.engine.stages import STAGES
from tamis.engine.stages.code_execution import BUILT_IN, CodeExecution
from tamis.engine.tape import Archive, PlaybackTape, RecordingTape
from tamis.engine.taping.taped_reach import taped_reach
from tamis.engine.verdicts.verdict import DROPPED
from tamis.errors import CodeError, NotSetUpError, ValidationError
from tamis.model.hits import Hits
from tamis.model.json import JSON
from tamis.model.retriever import Budget, Definition
from tests.engine.pipelines import DOCS, spec
from tests.engine.stages.shop import Shop, hit, ids, run
from tests.interpreters.world import opened

HITS = Hits.of([hit("a", 3.0, text="one two"), hit("b", 2.0, text=""), hit("c", 1.0)])
HALVED = {
    "python": "def transform(doc):\n    if not doc.get('text'):\n        return None\n"
    "    doc['score'] = doc['score'] / 2\n    doc['n'] = len(doc['text'].split())\n    return doc",
    "javascript": "const transform = doc => doc.text ? {...doc, score: doc.score / 2, "
    "n: doc.text.split(' ').length} : null",
}


@pytest.fixture
async def context(shop: Shop) -> AsyncIterator[Context]:
    async with opened() as code:
        yield replace(shop.context(1, rate="3"), reach=Reach(code=code))


async def of(context: Context, hits: Hits = HITS, **parameters: Any) -> Outcome:
    return await run("code_execution", parameters, hits, context)


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_a_document_is_changed_left_out_or_kept(context: Context, language: str) -> None:
    outcome = await of(context, code=HALVED[language], language=language)
    assert [(one.id, one.score, dict(one.extra)) for one in outcome.hits] == [("a", 1.5, {"n": 2})]
    assert outcome.hits[0].document == HITS[0].document
    assert outcome.hits[0].scores["code_execution"] == 1.5
    assert outcome.metadata == {"failed": 0, DROPPED: dict.fromkeys("bc", "the program gave back null")}


async def test_the_example(context: Context) -> None:
    outcome = await of(context, **CodeExecution.example)
    assert [one.extra for one in outcome.hits] == [{"words": 2}, {"words": 0}, {"words": 0}]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "total = len(doc['document_id']) * int(INPUT['rate']) + int(env['PLUS'])"),
        ("javascript", "const total = doc.document_id.length * Number(INPUT.rate) + Number(env.PLUS)"),
    ],
)
async def test_the_value_of_a_variable_is_written(context: Context, language: str, code: str) -> None:
    outcome = await of(
        context, code=code, language=language, result_variable="total", output_field="meta.total", env={"PLUS": "4"}
    )
    assert [one.extra for one in outcome.hits] == [{"meta": {"total": 7}}] * 3


async def test_a_field_that_is_gone_is_gone(context: Context) -> None:
    outcome = await of(context, code="def transform(doc):\n    return {'title': doc['document_id']}")
    assert [one.view() for one in outcome.hits] == [
        {"title": "a", "score": 3.0}, {"title": "b", "score": 2.0}, {"title": "c", "score": 1.0},
    ]  # fmt: skip


async def test_a_number_is_not_a_truth(context: Context) -> None:
    hits = Hits.of([hit("a").with_extra(flag=1)])
    outcome = await of(context, hits, code="def transform(doc):\n    doc['flag'] = True\n    return doc")
    assert outcome.hits[0].extra["flag"] is True


@pytest.mark.parametrize(
    ("on_error", "kept"), [("skip", ["a", "b", "c"]), ("remove", ["a"])],
)  # fmt: skip
async def test_a_failure_is_its_documents_own(context: Context, on_error: str, kept: list[str]) -> None:
    outcome = await of(context, code="x = 1\nresult = doc['text'][0]", on_error=on_error)
    assert ids(outcome) == kept
    assert outcome.hits[0].extra["computed"] == "o"
    assert outcome.metadata["failed"] == 2
    assert outcome.warnings[0].startswith("b: line 2: IndexError")
    assert outcome.warnings[1].startswith("c: line 2: KeyError")


async def test_raise_fails_the_stage(context: Context) -> None:
    with pytest.raises(CodeError, match=r"document 'b': line 1: IndexError"):
        await of(context, code="result = doc['text'][0]", on_error="raise")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def transform(doc):\n    return [1]", "a document or null"),
        ("def transform(doc):\n    doc['document_id'] = 'z'\n    return doc", "may not change document_id"),
        ("def transform(doc):\n    doc['score'] = 'high'\n    return doc", "another number"),
        ("x = 1", "neither transform"),
    ],
)
async def test_what_is_no_answer(context: Context, code: str, said: str) -> None:
    outcome = await of(context, code=code)
    assert ids(outcome) == ["a", "b", "c"]
    assert all(said in warning for warning in outcome.warnings)
    assert outcome.metadata["failed"] == 3


@pytest.mark.parametrize(
    ("language", "code", "line"),
    [
        ("python", "x = 1\ny = = 2", 2),
        ("python", "def f():\n    yield 1", 2),
        ("javascript", "let x = 1\nlet y = (", 2),
    ],
)
async def test_what_is_no_program_is_the_payloads_fault(context: Context, language: str, code: str, line: int) -> None:
    with pytest.raises(ValidationError) as caught:
        await of(context, code=code, language=language)
    assert caught.value.problems[0]["loc"] == ["code"]
    assert caught.value.problems[0]["msg"].startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"language": "ruby"}, "python"),
        ({"packages": ["numpy"]}, "nothing is installed"),
        ({"env": {"KEY": "{{SECRET.openai}}"}}, "never to a program"),
        ({"result_variable": "a b"}, "pattern"),
        ({"result_variable": "doc"}, "a name of its own"),
        ({"timeout_ms": 1}, "greater than or equal to 100"),
        ({"code": ""}, "at least 1"),
    ],
)
def test_parameters_that_cannot_be(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=said):
        CodeExecution.Parameters.model_validate({"code": "result = 1", **parameters})


@pytest.mark.parametrize(
    ("language", "runtime"),
    [("python", "python3.11"), ("python", "PYTHON"), ("javascript", "js"), ("javascript", "JavaScript")],
)
def test_both_spellings(language: str, runtime: str) -> None:
    old = {"code": "1", "runtime": runtime, "timeout": 700, "memory": 64, "packages": ["re", "json"]}
    new = {"code": "1", "language": language, "timeout_ms": 700, "memory_mb": 64, "packages": ["re", "json"]}
    assert CodeExecution.Parameters.model_validate(old) == CodeExecution.Parameters.model_validate(new)


async def test_braces_in_code_are_no_templates(context: Context) -> None:
    code = "x = 2\nresult = f'{{INPUT.rate}} {x}' + '{% if %}' + '{# #}'"
    written = spec("code_execution", code=code, env={"RATE": "{{INPUT.rate}}"})
    definition = Definition((written,), {}, ("col_1",), Budget())
    plan = Planner(STAGES).plan(definition, [DOCS], ["rate"])
    recorded, parameters = plan.stages[0].resolve({"INPUT": {"rate": "import os"}})
    assert recorded is not None
    assert recorded["code"] == code
    outcome = await plan.stages[0].stage(parameters).run(HITS, context)
    assert outcome.hits[0].extra["computed"] == "{INPUT.rate} 2{% if %}{# #}"
    assert recorded["env"] == {"RATE": "import os"}


async def test_a_replay_runs_no_program(context: Context) -> None:
    tape = RecordingTape()
    recorded = await of(
        replace(context, reach=taped_reach(context.reach, tape)), code="result = doc['text'][0]", on_error="remove"
    )
    playback = PlaybackTape([call.recorded() for call in tape.calls], Archive())
    nowhere = taped_reach(Reach(), playback)
    replayed = await of(replace(context, reach=nowhere), code="result = doc['text'][0]", on_error="remove")
    assert replayed == recorded
    assert not playback.unasked
    assert not playback.unrecorded


async def test_nothing_runs_where_nothing_is_set_up(shop: Shop) -> None:
    assert shop.context(1).reach is NOWHERE
    with pytest.raises(NotSetUpError, match="running programs"):
        await of(shop.context(1), code="result = 1")


async def test_what_was_printed_is_told_on_request(context: Context) -> None:
    outcome = await of(context, code="print(doc['document_id'])\nresult = 1", debug=True)
    assert outcome.metadata["printed"] == "a\nb\nc\n"


async def test_what_is_odd_in_a_document_comes_back_as_it_was(context: Context) -> None:
    odd: dict[str, JSON] = {
        "text": "日本 \x00 \u2028 </script> '''",
        "__proto__": {"x": 1},
        "none": None,
        "deep": [[{"a": []}]],
    }
    for language, code in (("python", "result = doc"), ("javascript", "var result = doc")):
        outcome = await of(context, Hits.of([hit("a").with_extra(**odd)]), code=code, language=language)
        computed = outcome.hits[0].extra["computed"]
        assert isinstance(computed, dict)
        assert {name: computed[name] for name in odd} == odd


async def test_the_modules_that_are_there_are_there(context: Context) -> None:
    code = "\n".join(f"import {name}" for name in sorted(BUILT_IN)) + "\nresult = re.findall(r'\\w+', doc['text'])"
    outcome = await of(context, HITS[:1], code=code, on_error="raise")
    assert outcome.hits[0].extra["computed"] == ["one", "two"]


@pytest.mark.parametrize(("language", "module"), [("python", "pydantic_monty"), ("javascript", "quickjs_rs")])
async def test_what_is_not_installed_says_how_to_get_it(
    context: Context, language: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotSetUpError, match=r"pip install 'tamis\[code\]'"):
        await of(context, code="result = 1", language=language)
