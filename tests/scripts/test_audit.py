import json
from collections.abc import Mapping

from scripts.audit import judge

SOUND = {"name": "rich", "version": "14.0", "vulns": []}
FLAWED = {"name": "h", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "av", "skip_reason": "Dependency not found on PyPI and could not be audited: av (18.0)"}


def report(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_all_looked_up_and_none_known() -> None:
    verdict = judge(report(SOUND))
    assert (verdict.status, verdict.lines) == (0, ("1 of 1 packages were looked up, 0 advisories.",))


def test_a_known_flaw_is_named_with_the_version_that_mends_it() -> None:
    verdict = judge(report(SOUND, FLAWED, UNKNOWN))
    assert verdict.status == 1
    assert "h 1.0: PYSEC-1, mended in 1.1" in verdict.lines


def test_packages_that_nobody_looked_up_are_not_called_safe() -> None:
    verdict = judge(report(SOUND, UNKNOWN))
    assert verdict.status == 2
    assert verdict.lines[-1] == "The advisory service did not know 1: av"


def test_a_service_that_knows_no_package_says_nothing() -> None:
    verdict = judge(report(UNKNOWN))
    assert (verdict.status, verdict.lines[-1]) == (
        2,
        "The advisory service knew none of them: this says nothing of their safety.",
    )


def test_no_answer_is_said() -> None:
    for nothing in ("", "{}", "[]"):
        verdict = judge(nothing)
        assert (verdict.status, verdict.lines) == (2, ("No advisory service answered: nothing was looked up.",))
