"""Where language models answer: the named providers, and whatever endpoint the operator set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from tamis.errors import LanguageModelMissingError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """base_url: of OpenAI's protocol.  key: the operator's; None asks for a request's own where `is_named`.

    is_named: a public provider, which answers nobody without a key.
    """

    provider: str
    base_url: str
    model: str | None = None
    key: SecretStr | None = field(default=None, repr=False)
    is_named: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""


_NAMED: Mapping[str, tuple[str, str]] = {
    "openai": ("https://api.openai.com/v1", "gpt-4o-mini"),
    "google": ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-flash"),
    "anthropic": ("https://api.anthropic.com/v1", "claude-haiku-4-5"),
}
_FAMILIES = {
    "gpt-": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
    "gemini": "google",
    "claude": "anthropic",
}


def named_endpoint(
    provider: str, base_url: str | None = None, key: SecretStr | None = None, model: str | None = None
) -> Endpoint:
    """What the operator said of a provider, over what is known of it.  Raises: LanguageModelMissingError."""
    known_url, known_model = _NAMED.get(provider, (None, None))
    url = base_url or known_url
    if url is None:
        raise LanguageModelMissingError(f"the language model provider {provider!r} needs a base_url")
    is_named = base_url is None
    return Endpoint(provider, url, model or (known_model if is_named else None), key, is_named)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """default: the provider that a request means that names none.  configured: by the operator, by name."""

    default: str = "openai"
    configured: Mapping[str, Endpoint] = field(default_factory=dict)

    def find(self, provider: str | None, model: str | None) -> tuple[Endpoint, str]:
        """The endpoint and the model's name there. Raises: LanguageModelMissingError, how to get it."""
        head, _, rest = (model or "").partition("/")
        if provider is None and rest and head in {*_NAMED, *self.configured}:
            provider, model = head, rest
        elif provider is not None and rest and head == provider:
            model = rest
        endpoint = self._endpoint(provider or self._of_family(model))
        name = model or endpoint.model
        if not name:
            raise LanguageModelMissingError(
                f"the provider {endpoint.provider!r} has no default model: set TAMIS_LLM_MODEL, or name one"
            )
        return endpoint, name

    def _of_family(self, model: str | None) -> str:
        """A model's name tells its provider, unless the operator's own endpoint is what requests go to."""
        family = next((one for start, one in _FAMILIES.items() if (model or "").startswith(start)), None)
        if family is None or (self.default in self.configured and family not in self.configured):
            return self.default
        return family

    def _endpoint(self, provider: str) -> Endpoint:
        if provider in self.configured:
            return self.configured[provider]
        if provider in _NAMED:
            return named_endpoint(provider)
        known = ", ".join(sorted({*_NAMED, *self.configured}))
        raise LanguageModelMissingError(
            f"there is no language model provider {provider!r}; known are {known}; TAMIS_LLM_PROVIDERS adds others"
        )
