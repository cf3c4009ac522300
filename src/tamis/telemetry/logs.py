"""Log lines: for people (`text`) or for programs (`json`), each with the id of the request that it belongs to."""

import logging
from datetime import UTC, datetime
from typing import Any

import orjson

from tamis.engine.caller import current_caller

FIELDS = "fields"
"""The `extra` of a log call under which facts stand that JSON lines show as members of their own."""

_CHATTY = ("alembic", "uvicorn", "httpx")
_BREAKS = (*range(0x7F, 0xA0), 0x2028, 0x2029)
_UNSAFE = {number: f"\\u{number:04x}" for number in (*range(32), *_BREAKS)}
_UNSAFE_IN_JSON = {number: _UNSAFE[number] for number in _BREAKS}


def configure_logging(level: str, log_format: str) -> None:
    """Send every logger's lines to standard error. log_format: `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """One line for each message, whatever a caller put into it; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        record.message = record.message.translate(_UNSAFE)
        caller = current_caller()
        line = super().formatMessage(record)
        return f"{line} [{caller.request_id}]" if caller else line


class JsonLines(logging.Formatter):
    """One JSON object on each line: time, level, logger, message, request_id, and the facts of the event."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        caller = current_caller()
        if caller:
            line["request_id"] = caller.request_id
        fields = getattr(record, FIELDS, None)
        if isinstance(fields, dict):
            line |= fields
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        written = orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        return written if written.isascii() else written.translate(_UNSAFE_IN_JSON)
