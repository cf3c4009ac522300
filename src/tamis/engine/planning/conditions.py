"""Whether a stage runs at all: its option `when`, a truth value or a template of one."""

from typing import Any

from tamis.engine.planning.inputs import Problem, fault
from tamis.engine.templating import templates
from tamis.errors import ValidationError

PASSED_OVER = "passed_over"
"""The fact of a stage that was not run: why."""
_WORDS = {"true": True, "false": False, "": False}
_TRUTH = "true or false, or a template that gives one, such as '{{ STAGE.search.count > 10 }}'"


def condition_problems(when: Any, loc: templates.Loc) -> list[Problem]:
    """What is wrong with a condition as it was written; None is none."""
    if isinstance(when, dict):
        own = "a filter on documents belongs into `pre_filters`, or into `parameters` of a stage with its own `when`"
        return [fault(loc, f"{_TRUTH}; {own}")]
    try:
        template = templates.find(when, loc) if isinstance(when, str) else None
    except ValidationError as error:
        return error.problems
    if template is None:
        known = when is None or isinstance(when, bool) or (isinstance(when, str) and when.strip().lower() in _WORDS)
        return [] if known else [fault(loc, _TRUTH)]
    if "DOC" in template.roots:
        return [fault(loc, "a condition is asked once, before the stage; DOC is known only for each document")]
    return []


def holds(when: Any, scope: templates.Scope, loc: templates.Loc) -> bool:
    """Raises: ValidationError where a template fails or gives what is neither true nor false.

    As in templates, null, 0 and what is empty are false; a text is `true` or `false`.
    """
    value = templates.render(when, scope, loc)
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word not in _WORDS:
        raise ValidationError.at(loc, f"the condition gave the text {value[:80]!r}; expected {_TRUTH}")
    return _WORDS[word]


def reason(when: Any) -> str:
    return f"its condition was false: when = {str(when)[:200]}"
