import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.templating.templates import mentions, render, walk
from tamis.errors import ValidationError

SCOPE: dict[str, dict[str, Any]] = {
    "INPUT": {
        "query": "red shoes",
        "k": 5,
        "on": True,
        "none": None,
        "items": [{"n": 1}, {"n": 2}],
        "tags": ["a", "b"],
    },
    "CONTEXT": {"budget_remaining": 1.5},
    "STAGE": {"search": {"top_score": 0.9, "count": 3}},
}  # fmt: skip
DOC = {"title": "A shoe", "price": 9.5, "maker": {"name": "Sole"}, "tags": ["x"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no template", "no template"),
        ("{{INPUT.query}}", "red shoes"),
        ("{{ inputs.k }}", 5),
        ("{{ input.on }}", True),
        ("{{INPUTS.none}}", None),
        ("{INPUT.k}", 5),
        ("{INPUT.items[1].n}", 2),
        ("about {INPUT.k}", "about {INPUT.k}"),
        ("{not.ours}", "{not.ours}"),
        ("{{ INPUT.tags }}", ["a", "b"]),
        ("{{ INPUT['tags'][0] }}", "a"),
        ("{{ INPUT.items | length }}", 2),
        ("{{ INPUT.items[0].n }}", 1),
        ("{{ 20 * inputs.k }}", 100),
        ("{{ INPUT.k / 2 }}", 2.5),
        ("{{ INPUT.k > 3 }}", True),
        ("{{ 200 if CONTEXT.budget_remaining > 50 else 50 }}", 50),
        ("{{ STAGE.search.top_score }}", 0.9),
        ("{{stage.search.count}}", 3),
        ("for {{INPUT.query}}!", "for red shoes!"),
        ("{{INPUT.query}} ", "red shoes "),
        ("{{INPUT.k}}{{INPUT.none}}", "5"),
        ("{{ INPUT.query | upper }}", "RED SHOES"),
        ("{{ INPUT.tags | join(', ') }}", "a, b"),
        ("{{ INPUT.tags | tojson }}", '["a", "b"]'),
        ("{{ INPUT.nowhere | default('x') }}", "x"),
        ("{{ INPUT.nowhere is defined }}", False),
        ("{{ 'it }} is' }}", "it }} is"),
        ("{{ {'a': INPUT.k} }}", {"a": 5}),
        ("{% for tag in INPUT.tags %}{{ tag }}{% if not loop.last %}-{% endif %}{% endfor %}", "a-b"),
        ("{{DOC.title}}", "{{DOC.title}}"),
        ("{{DOC.title}} for {{INPUT.k}}", "{{DOC.title}} for {{INPUT.k}}"),
    ],
)
def test_what_a_text_becomes(text: str, expected: Any) -> None:
    found = render(text, SCOPE)
    assert found == expected
    assert type(found) is type(expected)


def test_a_document_is_rendered_where_there_is_one() -> None:
    scope = {**SCOPE, "DOC": DOC}
    assert render("{{DOC.metadata.title}} by {{doc.maker.name}}, {{INPUT.k}}", scope) == "A shoe by Sole, 5"
    assert render({"price": "{{DOC.metadata.price}}"}, scope) == {"price": 9.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{INPUT.qery}}", "INPUT has no 'qery'; did you mean 'query'?"),
        ("{{INPUT.xyz}}", "INPUT has no 'xyz'; there is items, k, none, on, query, tags"),
        ("{{ INPUT.xyz | upper }}", "INPUT has no 'xyz'"),
        ("{{ INPUT.xyz.deeper }}", "INPUT has no 'xyz'"),
        ("{{INPUT.items[7].n}}", "this list has no 7"),
        ("{{query}}", "unknown name 'query'; templates know INPUT, DOC, CONTEXT, STAGE"),
        ("{{vault.key}}", "unknown name 'vault'"),
        ("{{INPUT.query", "end of template"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{" + "(" * 5000, "nested too deeply"),
        ("{{ 1e308 * 10 }}", "no finite number"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)) as caught:
        render({"a": [text]}, SCOPE, ["body"])
    assert caught.value.problems[0]["loc"] == ["body", "a", 0]
    assert text[:60] in caught.value.problems[0]["msg"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ INPUT.__class__ }}",
        "{{ INPUT.query.__class__.__mro__ }}",
        "{{ INPUT['__class__'] }}",
        "{{ INPUT.items.append }}",
        "{{ INPUT.query.upper() }}",
        "{{ INPUT.query | attr('__class__') }}",
        "{{ INPUT.items | map(attribute='__class__') | list }}",
        "{{ self }}",
        "{% for a in INPUT.tags %}{{ loop.__class__ }}{% endfor %}",
        "{% for a in INPUT.tags %}{{ loop.cycle }}{% endfor %}",
        "{{ range(3) }}",
        "{{ 'a' * 1000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{{ 9 ** 99 ** 9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ INPUT.query | replace('', INPUT.query) | replace('', 'x' | center(99999999)) }}",
        "{{ 'x' | indent(99999999) }}",
        "{{ INPUT.items | tojson(99999999) }}",
        "{% for i in range(10 ** 9) %}x{% endfor %}",
        "{% for a in INPUT.tags %}{% for b in INPUT.tags %}x{% endfor %}{% endfor %}",
        "{% for a in INPUT.tags recursive %}{{ loop(a) }}{% endfor %}",
        "{{ '{0.__class__}' | format(INPUT) }}",
        "{{ '{0.__class__}'.format(INPUT) }}",
        "{{ lipsum }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% set a = 1 %}",
        "{% include 'x' %}",
        "{% macro m() %}{% endmacro %}",
    ],
)
def test_a_template_reaches_and_exhausts_nothing(text: str) -> None:
    with pytest.raises(ValidationError):
        render(text, SCOPE, ["body"])


@pytest.mark.parametrize(
    "text",
    [
        "{{ INPUT.text ~ INPUT.text }}",
        "{{ INPUT.text | replace('', INPUT.text) }}",
        "{{ INPUT.text | join(INPUT.text) }}",
    ],
)
def test_results_are_bounded(text: str) -> None:
    large = {"INPUT": {"text": "x" * 600_000}}
    assert len(render("{{ [INPUT.text] | join }}!", large)) == 600_001
    with pytest.raises(ValidationError, match="longer than 1000000 characters"):
        render(text, large, ["body"])


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in INPUT.many %}{{ INPUT.text }}{% endfor %}",
        "{% for a in INPUT.many %}" + "x" * 10_000 + "{% endfor %}",
        "{% for a in INPUT.many %}{{ INPUT.words | sort | first }}{% endfor %}",
        "{% for a in INPUT.many %}{{ INPUT.many | tojson | length }}{% endfor %}",
        "{% for a in INPUT.many %}{{ INPUT.text | replace('x', 'y') | length }}{% endfor %}",
        "{% for a in INPUT.many %}{{ INPUT.text[1:] | length }}{% endfor %}",
        "{% for a in INPUT.many %}{{ INPUT.deep == [[INPUT.many]] }}{% endfor %}",
        "{% for a in INPUT.many if a in INPUT.words %}x{% endfor %}",
        "{{ INPUT.many | select('in', INPUT.words) | list | length }}",
        "{{ INPUT.many | map('in', INPUT.words) | list | length }}",
        "{{ [" + ", ".join(["INPUT.text | upper"] * 500) + "] | length }}",
        "{{ (" + " ~ ".join(["INPUT.text"] * 500) + ") | length }}",
        "{{ (" + " + ".join(["INPUT.many"] * 500) + ") | length }}",
        "{{ [INPUT.many, INPUT.many] | sum(start=[]) | length }}",
        "{{ 1 | round(100000000, 'ceil') }}",
        "{{ " + " * ".join(["(999999 ** 64)"] * 500) + " }}",
        "{{ (INPUT.text | replace('x', 'f') | int(0, 16)) * 3 }}",
        "{{ INPUT.many | _turns }}",
        "{{ INPUT.a }}" * 5_000,
    ],
)
def test_what_takes_long_is_ended(text: str) -> None:
    scope = {
        "INPUT": {
            "text": "x" * 500_000,
            "many": [*range(20_000)],
            "words": [f"word {n}" for n in range(20_000)],
            "deep": [[[*range(20_000)]]],
        }
    }
    started = time.process_time()
    with pytest.raises(ValidationError):
        render(text, scope, ["body"])
    assert time.process_time() - started < 3.0  # in all some 0.5 s; without limits minutes, or the memory


def test_nothing_is_worked_out_while_a_template_is_read() -> None:
    """What constants come to is counted like anything else, and not kept with the template."""
    grown = "'xx'" + "|replace('', 'yyyyyyyyyy')" * 5
    with pytest.raises(ValidationError):
        render(f"{{{{ [{', '.join([grown] * 100)}] | length }}}}", {}, ["body"])


def test_usual_work_is_within_the_limits() -> None:
    """A thousand documents under an alias, five fields of each written out."""
    one = {"id": "doc", "title": "Running shoes", "text": "x" * 500, "price": 12.5, "tags": ["a", "b"]}
    scope = {"CONTEXT": {"found": [one] * 1_000}}
    line = (
        "{{ d.id }} {{ d.title | upper }} {{ d.text | truncate(80) }} {{ d.price | round(1) }} {{ d.tags | join(',') }}"
    )
    text = render("{% for d in CONTEXT.found if d.price > 3 %}" + line + "{% endfor %}", scope)
    assert text.count("RUNNING SHOES") == 1_000


def test_what_is_mentioned() -> None:
    value = {"a": ["{{doc.x}}", "{{ INPUT.q or inputs.r | default(1) }}"], "b": {"type": "dynamic", "field": "colour"}}
    assert mentions(value) == {"DOC", "INPUT"}
    assert [(loc, sorted(one.inputs)) for loc, one in walk(value, ["p"])] == [
        (["p", "a", 0], []),
        (["p", "a", 1], ["q"]),
        (["p", "b"], ["colour"]),
    ]


def test_a_dynamic_value_is_another_spelling() -> None:
    assert render({"type": "dynamic", "field": "k"}, SCOPE) == 5
    assert render([{"type": "dynamic", "field": "STAGE.search.count"}], SCOPE) == [3]


PLAIN = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]))
JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSONS)
def test_what_has_no_template_stays(value: Any) -> None:
    assert render({"v": value}, SCOPE) == {"v": value}


@given(JSONS)
def test_a_lone_template_gives_the_value_itself(value: Any) -> None:
    assert render("{{INPUT.v}}", {"INPUT": {"v": value}}) == value
    assert render("{{ INPUT['v'] }}", {"INPUT": {"v": value}}) == value


@given(
    st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["{{INPUT.k}}", "{INPUT.k}", "{{DOC.x}}", "{%"])
)
def test_a_rendered_value_is_never_rendered_again(text: str) -> None:
    scope = {"INPUT": {"v": text, "k": 5}}
    assert render("{{INPUT.v}}", scope) == text
    assert render("<{{INPUT.v}}>", scope) == f"<{text}>"
    assert render(render("{{INPUT.v}}", scope), {**scope, "DOC": {"x": 1}}, only=frozenset({"{{DOC.y}}"})) == text
