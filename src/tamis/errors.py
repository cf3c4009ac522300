"""One root for every error that Tamis raises on purpose.

A class's name is its stable code on the wire (`error.type`), its docstring the default message, `status` the HTTP
status that the API answers with. `details` is structured context for a program; it never carries a secret.
"""

from typing import Any, ClassVar


class TamisError(Exception):
    """Tamis failed in a way that it did not foresee."""

    status: ClassVar[int] = 500

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.details = details
        super().__init__(self.message)

    @property
    def code(self) -> str:
        return type(self).__name__


class BadRequestError(TamisError):
    """The request cannot be understood."""

    status = 400


class UnauthorizedError(TamisError):
    """Send `Authorization: Bearer <api key>` with a key that is active."""

    status = 401


class ForbiddenError(TamisError):
    """This key lacks the permission that the operation needs."""

    status = 403


class NotFoundError(TamisError):
    """There is no such resource, or this key may not see it."""

    status = 404

    @classmethod
    def of(cls, resource: str, identifier: str) -> "NotFoundError":
        return cls(f"{resource} {identifier!r} was not found", resource=resource, id=identifier)


class AlreadyExistsError(TamisError):
    """A resource with this name exists already."""

    status = 409


class ConflictError(TamisError):
    """The resource is in a state that does not allow this."""

    status = 409


class SessionSpentError(ConflictError):
    """A session with an agent has used up one of its quotas; open another."""


class HostRefusedError(TamisError):
    """This server does not answer to the host name that the request was sent to."""

    status = 421


class InProgressError(TamisError):
    """The same request, by its idempotency key, is being answered right now; ask again shortly."""

    status = 409


class AnswerLostError(TamisError):
    """The request of this idempotency key was carried out, but its answer was not kept: look at what it made."""

    status = 409


class KeyReusedError(TamisError):
    """This idempotency key was sent with another request before; a key is for one request and its repetitions."""

    status = 422


class PreconditionFailedError(TamisError):
    """The resource is not in the state that the request expects; read it again, its ETag says what it is now."""

    status = 412


class TooManyRequestsError(TamisError):
    """A limit has been reached; the details name it and say when to come back.

    retry_after_s: until another attempt may succeed; what `Retry-After` says.
    """

    status = 429

    def __init__(self, message: str | None = None, retry_after_s: float = 1.0, **details: Any) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, **details)


class CreditsSpentError(TooManyRequestsError):
    """The organisation has no credits left; add some, or wait for the next period of its spending cap."""


class QuotaExceededError(TamisError):
    """The organisation has as many of these as its tier lets it; delete some first."""

    status = 403


class VisitorRefusedError(UnauthorizedError):
    """A published retriever is not open to this visitor: its public key, password or grant is missing or wrong."""


class PublicSearchError(TamisError):
    """A published retriever could not search; its publisher finds why in the execution's record."""


class PublicSearchUnavailableError(PublicSearchError):
    """A published retriever cannot search right now; try again shortly."""

    status = 503


class PublicInputsError(PublicSearchError):
    """A published retriever cannot search with these inputs."""

    status = 422


class PayloadTooLargeError(TamisError):
    """The request is larger than the server accepts."""

    status = 413


class HeadTooLargeError(TamisError):
    """The request line and its headers are larger than the server accepts."""

    status = 431


class ConnectionsSpentError(TamisError):
    """The server has as many connections open as it may, and none of them gives way; try again shortly."""

    status = 503


class IncompleteRequestError(TamisError):
    """The rest of the request did not come in time."""

    status = 408


class ValidationError(TamisError):
    """The payload is not valid.

    problems: one `{"loc": ["body", "stages", 0, ...], "msg": ..., "type": ...}` for each fault found.
    """

    status = 422

    def __init__(self, message: str | None = None, problems: list[dict[str, Any]] | None = None, **details: Any):
        super().__init__(message, **details)
        self.problems = problems or [{"loc": ["body"], "msg": self.message, "type": "value_error"}]

    @classmethod
    def at(cls, loc: list[str | int], message: str, **details: Any) -> "ValidationError":
        """One fault at one place of the payload."""
        where = ".".join(str(part) for part in loc)
        problem = {"loc": list(loc), "msg": message, "type": "value_error"}
        return cls(f"{where}: {message}", problems=[problem], **details)


class DecodeError(TamisError):
    """A file cannot be decoded; the message says why.

    error_type: the contract's ErrorCategory.
    """

    status = 422

    def __init__(self, message: str | None = None, error_type: str = "validation", **details: Any) -> None:
        super().__init__(message, **details)
        self.error_type = error_type


class NotBuiltError(TamisError):
    """This operation of the contract is not built in this version of Tamis."""

    status = 501


class ConfigurationError(TamisError):
    """A setting has a value that cannot be; the message names it."""


class NotSetUpError(TamisError):
    """A stage needs something that the operator of this server has not set up."""

    status = 422

    def __init__(self, what: str, **details: Any) -> None:
        super().__init__(f"{what}: not set up on this server", **details)


class SecretRefusedError(TamisError):
    """A secret is not there for this namespace, or is not bound to the host that it would go to."""

    status = 422


class OutsideRefusedError(TamisError):
    """A stage wants to reach what the operator of this server did not allow; the message names the setting."""

    status = 422


class CodeError(TamisError):
    """The program of a code_execution stage failed on a document; the message says where and why."""

    status = 422


class OutsideError(TamisError):
    """A service outside did not answer as it should: no answer, an error, too much, too late."""

    status = 502


class StorageConnectionError(TamisError):
    """The storage cannot be reached, does not let this connection in, or has no such path."""

    status = 422


class LookupTimeoutError(OutsideError):
    """A database did not answer a lookup within its time."""

    status = 504


class ClusteringError(TamisError):
    """A clustering could not be worked out; the message says why."""


class LanguageModelError(TamisError):
    """A language model did not answer as it should: no answer, an error, or one that does not fit the schema."""

    status = 502


class AllowanceSpentError(LanguageModelError):
    """The execution's budget leaves nothing for another call to a language model."""

    status = 422


class LanguageModelMissingError(TamisError):
    """This server knows no such language model; the message says how to set one up."""

    status = 422


class StageError(TamisError):
    """A stage of the pipeline failed.

    Raised by the executor alone; the cause is kept as `__cause__`, the details name stage, index and input size.
    """

    status = 500


class StageUnavailableError(StageError):
    """A stage of the pipeline failed because something that it needs does not answer; try again shortly."""

    status = 503


class StageTimeoutError(StageError):
    """A stage ran past its own time limit; the run goes on with what the stage was given."""


class ModelMissingError(TamisError):
    """A model that this needs is not at hand; `tamis doctor` says how to get it."""

    status = 503


class UnknownModelError(ModelMissingError):
    """There is no model of this name; the message lists those that there are."""

    status = 404


class EmbeddingServiceError(ModelMissingError):
    """An embeddings endpoint did not answer as it should: no answer, an error, or rows of another length."""


class IndexUnavailableError(TamisError):
    """The search index does not answer; it restarts by itself, try again shortly."""

    status = 503


class IndexRebuildingError(IndexUnavailableError):
    """The search index of this collection is incomplete and is being made again; it is searched once it is whole."""


class ExtractionUnavailableError(TamisError):
    """The cluster that extracts does not answer; what was submitted waits for it."""

    status = 503


class StorageError(TamisError):
    """The system of record refused or lost the operation."""


class StorageFullError(StorageError):
    """There is no space left where data is kept: reads go on, and writes do as soon as there is space again."""

    status = 507


class StorageUnavailableError(StorageError):
    """The system of record does not answer in time; nothing was changed, try again shortly."""

    status = 503


class DimensionMismatch(ValidationError):
    """A vector's length is not the length that the feature was declared with."""


class DataDirectoryInUse(TamisError):
    """Another Tamis server is using this data directory."""

    status = 409
