"""Writes docs/stages.md and docs/errors.md from the code that they describe, and the client from docs/openapi.json.

python -m tests.reference
"""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tamis
from scripts import client_code
from tamis import errors
from tamis.engine.stages import STAGES
from tamis.errors import TamisError

DOCS = Path(__file__).parents[1] / "docs"
# A program, not a module to import; what an extra's library is imported by; and the migrations run only under Alembic.
_NOT_IMPORTED = frozenset(
    {
        "tamis.__main__",
        "tamis.jobs.ray_actors",
        "tamis.integrations.langchain",
        "tamis.integrations.llama_index",
        "tamis.mcp.server",
    }
)
_GENERATED = "Generated from the code by `make contract`; do not edit. A test fails where this page is stale."


def stages_page() -> str:
    """Every stage: what it does, what it takes, a worked example."""
    parts = ["# Stages", _GENERATED, "A stage's parameters go into `config.parameters` beside `config.stage_id`."]
    for stage_id, stage in STAGES.items():
        parts += [f"## {stage_id}", f"Kind: {stage.kind}. {stage.description}"]
        parts.append(_table(stage.Parameters.model_json_schema()))
        example = json.dumps(getattr(stage, "example", {}), indent=2, ensure_ascii=False)
        parts.append(f"```json\n{example}\n```")
    return "\n\n".join(parts) + "\n"


def _table(schema: dict[str, Any]) -> str:
    rows = ["| parameter | type | default | |", "| --- | --- | --- | --- |"]
    required = set(schema.get("required", []))
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in required else f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"
        meaning = " ".join(str(field.get("description", "")).split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {_type(field)} | {default} | {meaning} |")
    return "\n".join(rows)


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type", "anything"))


def errors_page() -> str:
    """Every error that Tamis raises on purpose: its code on the wire, its status, what it means."""
    parts = [
        "# Errors",
        _GENERATED,
        "Every error answers in one envelope: `{success: false, status, error: {type, message, details}}`. A 422 also "
        "has `detail`, a list of `{loc, msg, type}`. What no error foresaw is `InternalServerError`, 500.",
        "| type | status | meaning |\n| --- | ---: | --- |\n" + "\n".join(_rows()),
    ]
    return "\n\n".join(parts) + "\n"


def _rows() -> Iterator[str]:
    for kind in sorted(error_classes(), key=lambda kind: (kind.status, kind.__name__)):
        meaning = (kind.__doc__ or "").strip().split("\n\n")[0]
        yield f"| `{kind.__name__}` | {kind.status} | {' '.join(meaning.split())} |"


def error_classes() -> list[type[TamisError]]:
    """Every error class, wherever it is defined."""
    for module in pkgutil.walk_packages(tamis.__path__, "tamis."):
        if module.name not in _NOT_IMPORTED and not module.name.startswith("tamis.storage.metadata.migrations"):
            importlib.import_module(module.name)
    found: set[type[TamisError]] = set()
    waiting: list[type[TamisError]] = [errors.TamisError]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += [child for child in kind.__subclasses__() if child.__module__.startswith("tamis.")]
    return list(found)


def main() -> None:
    (DOCS / "stages.md").write_text(stages_page())
    (DOCS / "errors.md").write_text(errors_page())
    client_code.write()


if __name__ == "__main__":
    main()
