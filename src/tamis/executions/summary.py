"""One line that tells a person what an execution was asked."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tamis.executions.references import json_text

MAX_LENGTH = 120
_BLOB_LENGTH = 512
_EXAMPLE = {"input_mode", "value"}
"""A file or text that is asked with: what it is says more than how it is written."""

_SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|(?:api|access)[_-]?key|auth(?!or(?!i))|credential|bearer|private|signature|cookie"
    r"|session[_-]?(?:id|key)",
    re.I,
)
_SECRET_VALUE = re.compile(
    r"\b(?:sk|pk|ghp|gho|github_pat|glpat|xox[abps])[_-][\w-]{8,}|\bbearer\s+\S+|\beyJ[\w-]{8,}\.[\w.-]+"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY.*"
    r"|\b(?:passw\w*|pwd|secret|token|api[_-]?key)\s*[=:]\s*\S+",
    re.I,
)
_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*,", re.I)
_BASE64 = re.compile(r"[A-Za-z0-9+/\-_\s]{64,}={0,2}")
_URL_SECRETS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:[^/\s@]*@)?(?P<place>[^\s?#]*)(?P<query>[?#]\S*)?", re.I)


def query_summary(inputs: Mapping[str, Any]) -> str | None:
    """At most 120 characters; blobs by type and size, secrets never. None where there are no inputs."""
    if not inputs:
        return None
    parts = list(_parts(inputs))
    line = parts[0][1] if len(parts) == 1 else ", ".join(f"{name}: {text}" for name, text in parts)
    return line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1]}…"


def _parts(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in inputs.items():
        yield _one_line(str(name)), "***" if _SECRET_NAME.search(str(name)) else _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return _shown_text(value)
    if isinstance(value, Mapping):
        if set(value) == _EXAMPLE and isinstance(value["value"], str):
            return _shown_text(value["value"])
        if any(_SECRET_NAME.search(str(key)) for key in value) or len(value) > 4:
            return f"object of {len(value)} fields"
        return "{" + ", ".join(f"{name}: {text}" for name, text in _parts(value)) + "}"
    if isinstance(value, list):
        if len(value) > 8:
            kind = "vector" if all(isinstance(item, int | float) for item in value) else "array"
            return f"{kind} of {len(value)}"
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return json_text(value)


def _shown_text(text: str) -> str:
    data = _DATA_URI.match(text)
    if data:
        encoded = len(text) - data.end()
        size = encoded * 3 // 4 if ";base64" in data[0].lower() else encoded
        return f"{data['type'] or 'text/plain'} of {_size(size)}"
    if len(text) > _BLOB_LENGTH and _BASE64.fullmatch(text[:_BLOB_LENGTH].rstrip("=")):
        return f"base64 data of {_size(len(text) * 3 // 4)}"
    # What is beyond the line cannot be seen: cut before the patterns run, with room for what they take out.
    line = _one_line(text[: 8 * MAX_LENGTH])
    if "://" in line:
        line = _URL_SECRETS.sub(_without_secrets, line)
    return _SECRET_VALUE.sub("***", line)


def _without_secrets(match: re.Match[str]) -> str:
    return f"{match['scheme']}{match['place']}"


def _one_line(text: str) -> str:
    printable = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())


def _size(size_bytes: int) -> str:
    if size_bytes < 1024:
        return f"{size_bytes} B"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.0f} kB"
    return f"{size_bytes / 1024 / 1024:.1f} MB"
