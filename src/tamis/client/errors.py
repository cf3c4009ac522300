"""What can go wrong between a client and a server."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_SHOWN_CHARACTERS = 200


class ApiError(Exception):
    """The server refused.

    code: the error's stable name, as `NotFoundError`; empty where what answered was no Tamis.
    details: what it says besides.  request_id: under which the server's log has it.  retry_after_s: when to ask again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.code = code
        self.details = dict(details or {})
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes) -> "ApiError":
        """headers: by names in lower case, or whatever finds them in any."""
        beside = (headers.get("x-request-id"), _seconds(headers.get("retry-after")))
        try:
            error = json.loads(body)["error"]
            return cls(status, str(error["message"]), str(error["type"]), error.get("details"), *beside)
        except (ValueError, KeyError, TypeError, AttributeError):
            text = body.decode(errors="replace")[:_SHOWN_CHARACTERS]
            return cls(status, text, "", None, *beside)


class BrokenStreamError(Exception):
    """The server's events ended before the execution did; its record may say more."""

    def __init__(self) -> None:
        super().__init__("the connection ended before the execution did")


def _seconds(said: str | None) -> float | None:
    """Of a `Retry-After`: seconds, or an HTTP date."""
    if not said:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
