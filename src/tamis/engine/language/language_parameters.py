"""What the parameters of every stage that asks a language model share."""

from typing import ClassVar, Literal

from pydantic import AliasChoices, Field, field_validator

from tamis.engine.parameters import StageParameters
from tamis.engine.ports.language import Message, Prompt
from tamis.engine.ports.secrets import secret_name
from tamis.errors import ValidationError
from tamis.model.json import JSON

Effort = Literal["none", "minimal", "low", "medium", "high"]


class LanguageAccess(StageParameters):
    """Who is asked, with whose key."""

    refers_to_secrets: ClassVar[frozenset[str]] = frozenset({"api_key"})

    provider: str | None = Field(
        None, min_length=1, description="openai, google, anthropic or one that the operator set up; else the default."
    )
    api_key: str | None = Field(None, description="A secret of the caller's, by name or as {{SECRET.name}}.")

    @field_validator("api_key")
    @classmethod
    def _is_a_reference(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                secret_name(value)
            except ValidationError as error:
                raise ValueError(error.message) from None
        return value

    @property
    def chosen_model(self) -> str | None:
        """None is the operator's default."""
        return None

    def ask(
        self,
        *messages: Message,
        schema: dict[str, JSON] | None = None,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        effort: str | None = None,
    ) -> Prompt:
        """A question to the model that these parameters name."""
        return Prompt(messages, self.provider, self.chosen_model, self.api_key, schema, max_tokens, temperature, effort)


class LanguageParameters(LanguageAccess):
    model_name: str | None = Field(
        None,
        min_length=1,
        validation_alias=AliasChoices("model_name", "model", "inference_name"),
        description="The model, by the provider's name for it or as provider/model; else the operator's default.",
    )

    @property
    def chosen_model(self) -> str | None:
        return self.model_name


def refused_feature(value: str | None) -> str | None:
    """Raises: ValueError. A language model is asked by its name; features are for search."""
    if value is not None:
        raise ValueError("a language model is named by provider and model_name; it is not a feature of documents")
    return value
