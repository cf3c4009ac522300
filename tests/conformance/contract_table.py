"""docs/contract.md, how far the served API goes along the contract, and docs/openapi.json, what is served.

`python -m tests.conformance.contract_table` writes both.
"""

import json
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.conformance.shape import Comparison, Difference, Schema, operations

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "contract.md"
REASONS = HERE / "reasons.toml"

_INTRO = """# How far the contract goes

Generated from the running server's OpenAPI against the wire contract (2025-12-10) by `make contract`; do not edit.
A test fails where this page is stale, or where a shape differs without a reason in `tests/conformance/reasons.toml`.
Descriptions, examples and defaults are no part of a shape.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """One deliberate difference. where and what are regular expressions that have to match whole."""

    where: str
    what: str
    why: str

    def covers(self, difference: Difference) -> bool:
        return bool(re.fullmatch(self.where, difference.where) and re.fullmatch(self.what, difference.what))


@dataclass
class Report:
    contract: Schema
    served: Schema
    reasons: list[Reason] = field(default_factory=list)

    @cached_property
    def wanted(self) -> dict[str, Schema]:
        return {f"{method} {path}": operation for method, path, operation in operations(self.contract)}

    @cached_property
    def built(self) -> dict[str, Schema]:
        """The served operations, their path parameters named as the contract names them."""
        by_outline = {_outline(name): name for name in self.wanted}
        found = {f"{method} {path}": operation for method, path, operation in operations(self.served)}
        return {by_outline.get(_outline(name), name): operation for name, operation in found.items()}

    @cached_property
    def differences(self) -> list[Difference]:
        comparison = Comparison(self.contract, self.served)
        for name in sorted(self.wanted.keys() & self.built.keys()):
            compare_operation(comparison, name, self.built[name], self.wanted[name])
        return sorted(comparison.found)

    @cached_property
    def by_reason(self) -> dict[str, list[Difference]]:
        grouped: dict[str, list[Difference]] = {reason.why: [] for reason in self.reasons}
        for difference in self.differences:
            reason = next((reason for reason in self.reasons if reason.covers(difference)), None)
            if reason:
                grouped[reason.why].append(difference)
        return {why: found for why, found in grouped.items() if found}

    def unexplained(self) -> list[Difference]:
        return [one for one in self.differences if not any(reason.covers(one) for reason in self.reasons)]

    def idle_reasons(self) -> list[Reason]:
        """Reasons that no longer explain anything."""
        return [reason for reason in self.reasons if not any(reason.covers(one) for one in self.differences)]

    def page(self) -> str:
        parts = [_INTRO, self._groups(), self._deviations(), self._absent(), self._beyond()]
        return "\n".join(parts)

    def _groups(self) -> str:
        total: dict[str, int] = defaultdict(int)
        have: dict[str, int] = defaultdict(int)
        for name in self.wanted:
            total[_group(name)] += 1
            have[_group(name)] += name in self.built
        rows = [f"| {group} | {have[group]} | {total[group]} |" for group in sorted(total)]
        rows.append(f"| **all** | **{sum(have.values())}** | **{sum(total.values())}** |")
        return "\n".join(["| group | implemented | in the contract |", "| --- | ---: | ---: |", *rows, ""])

    def _deviations(self) -> str:
        lines = ["## Where a shape differs, and why\n"]
        for why, found in self.by_reason.items():
            lines += [f"**{why}**", "", *(f"- `{one.where}` {one.what}" for one in found), ""]
        return "\n".join(lines)

    def _absent(self) -> str:
        lines = ["## Not built yet", "", "They answer 501 in the error envelope.", ""]
        return "\n".join([*lines, *_by_group(self.wanted.keys() - self.built.keys()), ""])

    def _beyond(self) -> str:
        lines = ["## Beyond the contract", "", "Operations that the contract of that date does not have.", ""]
        return "\n".join([*lines, *_by_group(self.built.keys() - self.wanted.keys()), ""])


def compare_operation(comparison: Comparison, name: str, ours: Schema, theirs: Schema) -> None:
    _compare_parameters(comparison, name, ours, theirs)
    have, want = _body(ours), _body(theirs)
    if (have is None) != (want is None):
        comparison.add(f"{name} request", "takes no body" if have is None else "takes a body")
    else:
        comparison.parameters(f"{name} request", have, want)
    ok_have, ok_want = _answers(ours), _answers(theirs)
    for code in sorted(set(ok_want) - set(ok_have)):
        comparison.add(f"{name} response", f"{code} is not declared")
    for code in sorted(set(ok_have) - set(ok_want)):
        comparison.add(f"{name} response", f"{code} is declared beside")
    for code in set(ok_have) & set(ok_want):
        comparison.schemas(f"{name} response {code}", ok_have[code], ok_want[code])


def _compare_parameters(comparison: Comparison, name: str, ours: Schema, theirs: Schema) -> None:
    have, want = _parameters(ours), _parameters(theirs)
    for key in sorted(set(want) - set(have)):
        comparison.add(f"{name} {key}", "is missing")
    for key in sorted(set(have) - set(want)):
        comparison.add(f"{name} {key}", "is ours")
    for key in set(have) & set(want):
        if bool(have[key].get("required")) != bool(want[key].get("required")):
            comparison.add(f"{name} {key}", "is required" if have[key].get("required") else "is optional")
        comparison.parameters(f"{name} {key}", have[key].get("schema"), want[key].get("schema"))


def _parameters(operation: Schema) -> dict[str, Mapping[str, Any]]:
    """By place and name; path parameters by their order, for their names are not on the wire."""
    found = {}
    in_path = 0
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            in_path += 1
            found[f"path {in_path}"] = parameter
        elif parameter["in"] == "header":
            found[f"header {parameter['name'].lower()}"] = parameter
        else:
            found[f"{parameter['in']} {parameter['name']}"] = parameter
    return found


def _body(operation: Schema) -> Schema | None:
    content = operation.get("requestBody", {}).get("content")
    return next(iter(content.values())).get("schema", {}) if content else None


def _answers(operation: Schema) -> dict[str, Schema]:
    return {
        code: next(iter((answer.get("content") or {"": {}}).values())).get("schema", {})
        for code, answer in operation["responses"].items()
    }


def _outline(name: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", name).rstrip("/")


def _group(name: str) -> str:
    parts = name.split(" ")[1].split("/")
    if name in ("POST /v1/retrievers/execute",) or "/v1/retrievers/executions/" in name:
        return "anonymous retrievers"
    return parts[2] if parts[1] == "v1" and len(parts) > 2 else parts[1]


def _by_group(names: Iterable[str]) -> list[str]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names, key=lambda name: name.split(" ")[::-1]):
        grouped[_group(name)].append(f"`{name}`")
    return [f"- {group}: {', '.join(members)}" for group, members in sorted(grouped.items())]


def load_reasons(path: Path = REASONS) -> list[Reason]:
    """One reason may cover several differences: `[[reason]]` with `why` and a list of `[where, what]` patterns."""
    entries = tomllib.loads(path.read_text())["reason"]
    return [Reason(where, what, entry["why"]) for entry in entries for where, what in entry["covers"]]


def build_report(contract_path: Path, served: Schema) -> Report:
    return Report(json.loads(contract_path.read_text()), served, load_reasons())


def main() -> None:
    from tests.conformance.served import GOLDEN, served_openapi, served_openapi_bytes
    from tests.shared_data import ROOT as SHARED

    PAGE.parent.mkdir(exist_ok=True)
    GOLDEN.write_bytes(served_openapi_bytes())
    contract = SHARED / "contract" / "api.json"
    if not contract.is_file():
        sys.exit("the contract is not at hand: expected shared/contract/api.json beside the checkout")
    report = build_report(contract, served_openapi())
    PAGE.write_text(report.page())
    for difference in report.unexplained():
        sys.stderr.write(f"no reason: {difference.where} | {difference.what}\n")


if __name__ == "__main__":
    main()
