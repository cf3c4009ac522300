"""The inputs of a published search: its form as the display configuration has it, and what was filled in."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import orjson
from starlette.datastructures import UploadFile

from tamis.errors import BadRequestError
from tamis.model.json import JSON
from tamis.studio import fields

_NUMBERS = ("number", "float")
_FILES = {
    "image": "image/*", "audio": "audio/*", "video": "video/*", "pdf": "application/pdf", "file": "", "document": "",
    "spreadsheet": "", "presentation": "",
}  # fmt: skip
_STRUCTURED = ("object", "array", "json", "dense_vector", "sparse_vector", "int8_vector")
_LARGEST_FILE_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Control:
    """kind: text, number, boolean, choice, date, datetime-local, file or json.  accept: of a file.

    suggestions: texts that can be asked with one click.
    """

    name: str
    label: str
    kind: str
    value: str
    placeholder: str
    helper: str
    is_required: bool
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    accept: str = ""


def controls_of(display: Mapping[str, Any], asked: Mapping[str, str]) -> list[Control]:
    """In the order in which they are shown."""
    ordered = sorted(display["inputs"], key=lambda one: one["order"])
    return [_control(one, asked.get(one["field_name"], "")) for one in ordered]


def inputs_of(controls: Iterable[Control], asked: Mapping[str, str]) -> dict[str, JSON]:
    """What was filled in, each as its type wants it; what was left empty is not sent. Raises: BadRequestError."""
    filled = [(one, asked.get(one.name, "").strip()) for one in controls if one.kind != "file"]
    return {one.name: _read(one, text) for one, text in filled if text}


async def file_inputs(controls: Iterable[Control], sent: Mapping[str, Any]) -> dict[str, JSON]:
    """Files as data: URIs, which is what a search takes as an example. Raises: BadRequestError."""
    found: dict[str, JSON] = {}
    for one in controls:
        upload = sent.get(one.name)
        if one.kind != "file" or not isinstance(upload, UploadFile) or not upload.size:
            continue
        if upload.size > _LARGEST_FILE_BYTES:
            raise BadRequestError(f"{one.label}: a file of at most {_LARGEST_FILE_BYTES >> 20} MiB", field=one.name)
        kind = upload.content_type or "application/octet-stream"
        found[one.name] = f"data:{kind.partition(';')[0]};base64,{base64.b64encode(await upload.read()).decode()}"
    return found


def _control(one: Mapping[str, Any], value: str) -> Control:
    schema = one["field_schema"]
    choices = tuple(str(choice) for choice in schema.get("enum") or ())
    kind = "choice" if choices else _kind(str(schema["type"]))
    default = schema.get("default")
    return Control(
        name=one["field_name"],
        label=one["label"],
        kind=kind,
        value=value or ("" if default is None else _text(default)),
        placeholder=one["placeholder"] or "",
        helper=one["helper_text"] or "",
        is_required=bool(one["required"]),
        choices=choices,
        suggestions=tuple(one["suggestions"] or ()) if kind == "text" else (),
        accept=_FILES.get(str(schema["type"]), ""),
    )


def _kind(kind: str) -> str:
    if kind in (*_NUMBERS, "integer"):
        return "number"
    if kind in _FILES:
        return "file"
    if kind in _STRUCTURED:
        return "json"
    return {"boolean": "boolean", "date": "date", "datetime": "datetime-local"}.get(kind, "text")


def _read(one: Control, text: str) -> JSON:
    if one.kind in ("number", "json", "boolean"):
        return _parsed(one, text)
    if one.kind == "datetime-local":
        found = fields.moment(text, one.label)
        return found.astimezone(UTC).isoformat().replace("+00:00", "Z") if found else text
    return text


def _parsed(one: Control, text: str) -> JSON:
    try:
        value: JSON = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    is_right = {
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "json": isinstance(value, list | dict),
    }[one.kind]
    if not is_right:
        wanted = {"number": "a number", "boolean": "true or false", "json": "a JSON object or array"}[one.kind]
        raise BadRequestError(f"{one.label}: {wanted}", field=one.name)
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
