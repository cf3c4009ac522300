"""What schemathesis does not know by itself; it loads this by `SCHEMATHESIS_HOOKS`."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def json_lines(context: Any, value: Any) -> bytes:
    """A body whose schema is that of a line: one line."""
    return json.dumps(value).encode() + b"\n"
