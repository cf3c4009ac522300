"""Ask a service about each document."""

import re
from typing import Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, Field, field_validator, model_validator

from tamis.engine.needs import Need
from tamis.engine.outputs import put, steps_of, value_at
from tamis.engine.outreach.reaching import OnFailure, each, removal
from tamis.engine.parameters import StageParameters, checked_filter
from tamis.engine.ports.outside import Fetch
from tamis.engine.ports.secrets import REFERENCE, secret_name
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict
from tamis.errors import OutsideError, OutsideRefusedError, ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_AT_ONCE = 5
_CLIMBS = re.compile(r"/(\.|%2e){1,2}(/|$|[?#])", re.IGNORECASE)
_CREDENTIALS = ("authorization", "cookie")


class ApiAuth(StageParameters):
    type: Literal["none", "api_key", "bearer", "basic", "custom_header"] = Field("none", description="How.")
    key: str | None = Field(None, min_length=1, description="Name of the header, or of the query's field.")
    location: Literal["header", "query"] = Field("header", description="Where an api_key goes.")
    secret_ref: str | None = Field(None, description="Name of a secret of the operator's; never its value.")

    @model_validator(mode="after")
    def _is_whole(self) -> "ApiAuth":
        if self.type != "none" and self.secret_ref is None:
            raise ValueError(f"{self.type!r} needs secret_ref, the name of a secret")
        if self.type in ("api_key", "custom_header") and self.key is None:
            raise ValueError(f"{self.type!r} needs key, the name that the secret is sent under")
        return self

    @field_validator("secret_ref")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        try:
            return None if value is None else secret_name(value)
        except ValidationError as error:
            raise ValueError(error.message) from None

    @property
    def headers(self) -> dict[str, str]:
        if self.type == "bearer":
            return {"Authorization": f"Bearer {{{{SECRET.{self.secret_ref}}}}}"}
        return self._named if self.type == "custom_header" or self.location == "header" else {}

    @property
    def query(self) -> dict[str, str]:
        return self._named if self.type == "api_key" and self.location == "query" else {}

    @property
    def _named(self) -> dict[str, str]:
        wanted = self.type in ("api_key", "custom_header")
        return {str(self.key): f"{{{{SECRET.{self.secret_ref}}}}}"} if wanted else {}


class RateLimit(StageParameters):
    requests_per_minute: int | None = Field(None, ge=1, description="To one host.")
    requests_per_hour: int | None = Field(None, ge=1, description="To one host.")


class ApiCallParameters(StageParameters):
    refers_to_secrets: ClassVar[frozenset[str]] = frozenset({"auth", "headers"})

    url: str = Field(min_length=1, description="Whom to ask; templates as `{{ DOC.sku | urlencode }}`.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("GET", description="HTTP's.")
    allowed_domains: list[str] | None = Field(None, min_length=1, description="Only these, of the operator's.")
    auth: ApiAuth = Field(ApiAuth(), description="Credentials, by the name of a secret.")
    headers: dict[str, str] = Field({}, description="More headers; a value may refer to `{{SECRET.name}}`.")
    body: dict[str, Any] | None = Field(None, description="Sent as JSON.")
    output_field: str = Field("api_response", min_length=1, description="Path that the answer is written to.")
    response_path: str | None = Field(None, description="Part of the answer, as `data.items[0]` or `$.data`.")
    timeout: int = Field(10, ge=1, le=60, description="Seconds for one document's whole answer.")
    max_response_size: int = Field(10 << 20, ge=1024, description="Bytes, decompressed.")
    rate_limit: RateLimit = Field(RateLimit(), description="Slower than the operator's own limit.")
    when: dict[str, Any] | list[Any] | None = Field(None, description="Ask only about documents that match.")
    on_error: OnFailure = Field("skip", description="A document without an answer: keep it, remove it, or fail.")

    _when = field_validator("when")(checked_filter)

    @field_validator("method", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("allowed_domains")
    @classmethod
    def _says_which(cls, value: list[str] | None) -> list[str] | None:
        if value and "*" in value:
            raise ValueError("`*` allows nothing in particular; list the domains")
        return value

    @field_validator("headers")
    @classmethod
    def _holds_no_credentials(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if name.lower() in _CREDENTIALS and not REFERENCE.search(text):
                raise ValueError(f"{name}: credentials are never written here; refer to a secret by auth.secret_ref")
        return value

    @field_validator("response_path")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        steps_of(value or "")
        return value


class ApiCall:
    """Documents in parallel, few at once; the order stays."""

    id: ClassVar[str] = "api_call"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "globe"
    description: ClassVar[str] = (
        "Ask a service over HTTP about each document and write its JSON into a field. Only what the operator allows "
        "is reached, and credentials are named, never written."
    )
    Parameters: ClassVar[type[BaseModel]] = ApiCallParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.OUTSIDE})
    example: ClassVar[dict[str, Any]] = {
        "url": "https://api.example.com/brands/{{ DOC.brand | urlencode }}",
        "allowed_domains": ["api.example.com"],
        "response_path": "data[0].country",
        "output_field": "metadata.country",
    }

    def __init__(self, parameters: ApiCallParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters

        async def ask(hit: Hit) -> Hit:
            try:
                fetch = self._fetch(hit, context)
            except ValidationError as error:
                raise OutsideError(error.message) from error
            found = await context.reach.outside.fetch(context.principal, fetch)
            if not 200 <= found.status < 300:
                raise OutsideError(f"the service answered {found.status}")
            return put(hit, given.output_field, self._part(found.body))

        return await each(hits, given.when, _AT_ONCE, given.on_error, ask)

    async def explain(self, case: Case, _context: Context) -> Verdict:
        return removal(case)

    def _fetch(self, hit: Hit, context: Context) -> Fetch:
        given = self._parameters
        url = str(context.render(given.url, hit))
        if _CLIMBS.search(url):
            raise OutsideRefusedError("a path that climbs, with `.` or `..`, is not asked for")
        secret = {name: text for name, text in given.headers.items() if REFERENCE.search(text)}
        plain = {name: str(context.render(text, hit)) for name, text in given.headers.items() if name not in secret}
        body = None if given.body is None else orjson.dumps(context.render(given.body, hit))
        return Fetch(
            url,
            given.method,
            plain if body is None else {"Content-Type": "application/json", **plain},
            body=body,
            secret_headers={**secret, **given.auth.headers},
            secret_query=given.auth.query,
            basic=given.auth.secret_ref if given.auth.type == "basic" else None,
            allowed_domains=None if given.allowed_domains is None else tuple(given.allowed_domains),
            requests_per_minute=given.rate_limit.requests_per_minute,
            requests_per_hour=given.rate_limit.requests_per_hour,
            timeout_s=float(given.timeout),
            max_bytes=given.max_response_size,
        )

    def _part(self, body: bytes) -> JSON:
        path = self._parameters.response_path
        try:
            answer: JSON = orjson.loads(body) if body else None
            return value_at(answer, steps_of(path or ""))
        except LookupError:
            raise OutsideError(f"the answer has nothing at {path!r}") from None
        except ValueError:
            raise OutsideError("the answer is no JSON") from None
