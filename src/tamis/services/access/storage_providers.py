"""What a connection's `provider_config` holds, by its provider."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from tamis.errors import ValidationError
from tamis.model.json import JSON
from tamis.model.storage_connection import StorageProvider

_ROLE = r"^arn:aws:iam::\d{12}:role/[\w+=,.@-]+$"
# A region and an account become parts of host names.
_Region = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
_Account = Annotated[str, Field(pattern=r"^[a-z0-9]{3,24}$")]
_Text = Annotated[str, Field(min_length=1, max_length=2000)]
_Secret = Annotated[SecretStr, Field(min_length=1, max_length=16_384)]
_URL = re.compile(r"https?://[^\s/?#@]+/?", re.IGNORECASE)


class _Config(BaseModel):
    # Messages of pydantic would repeat what was sent.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AccessKey(_Config):
    type: Literal["access_key"] = "access_key"
    access_key_id: str = Field(min_length=1, max_length=128)
    secret_access_key: _Secret
    session_token: _Secret | None = None


class Role(_Config):
    type: Literal["iam_role"]
    role_arn: str = Field(pattern=_ROLE)
    external_id: str = Field(min_length=8, max_length=128)


class S3Settings(_Config):
    """endpoint_url: of a store that speaks as S3 does; without one, Amazon's own in the region."""

    provider_type: Literal["s3"] = "s3"
    credentials: Annotated[AccessKey | Role, Field(discriminator="type")]
    region: _Region
    endpoint_url: str | None = Field(None, max_length=2000)
    use_ssl: bool = True
    verify_ssl: bool = True

    @pydantic.model_validator(mode="after")
    def _fits(self) -> "S3Settings":
        _check_endpoint(self.endpoint_url, self.use_ssl)
        return self


class TigrisSettings(_Config):
    provider_type: Literal["tigris"] = "tigris"
    credentials: AccessKey
    region: _Region = "auto"
    endpoint_url: str = Field("https://fly.storage.tigris.dev", max_length=2000)

    @pydantic.model_validator(mode="after")
    def _fits(self) -> "TigrisSettings":
        _check_endpoint(self.endpoint_url, True)
        return self


class ServiceAccount(_Config):
    type: Literal["service_account"] = "service_account"
    project_id: _Text
    private_key_id: _Text
    private_key: _Secret
    client_email: _Text
    client_id: _Text


class GcsSettings(_Config):
    provider_type: Literal["gcs"] = "gcs"
    credentials: ServiceAccount


class AccountKey(_Config):
    type: Literal["account_key"] = "account_key"
    account_name: _Account
    account_key: _Secret


class AzureSettings(_Config):
    provider_type: Literal["azure_blob"] = "azure_blob"
    credentials: AccountKey


class LocalSettings(_Config):
    """folder: of the server's machine, among those that the operator lets connections read."""

    provider_type: Literal["local"] = "local"
    folder: _Text


Settings = S3Settings | TigrisSettings | GcsSettings | AzureSettings | LocalSettings
_SETTINGS: Mapping[StorageProvider, type[Settings]] = {
    StorageProvider.S3: S3Settings,
    StorageProvider.TIGRIS: TigrisSettings,
    StorageProvider.GCS: GcsSettings,
    StorageProvider.AZURE: AzureSettings,
    StorageProvider.LOCAL: LocalSettings,
}


def parse_settings(provider: StorageProvider, raw: Mapping[str, Any]) -> Settings | None:
    """None for a provider that is not read. Raises: ValidationError naming the field; it repeats no value."""
    model = _SETTINGS.get(provider)
    if model is None:
        return None
    try:
        return model.model_validate(_with_type(raw))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        known = f"; {provider} takes {', '.join(model.model_fields)}" if "extra" in first["type"] else ""
        place: list[str | int] = ["body", "provider_config", *first["loc"]]
        raise ValidationError.at(place, f"{first['msg'].removeprefix('Value error, ')}{known}") from None


def shown_settings(settings: Settings) -> dict[str, JSON]:
    """With stars for what is secret."""
    return settings.model_dump(mode="json", exclude_none=True)


def whole_settings(settings: Settings) -> dict[str, Any]:
    """With what is secret."""
    return {name: _revealed(value) for name, value in settings.model_dump(exclude_none=True).items()}


def has_secrets(settings: Settings) -> bool:
    return shown_settings(settings) != whole_settings(settings)


def _with_type(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Credentials that do not say their type have an access key: S3's are told apart by it."""
    credentials = raw.get("credentials")
    if isinstance(credentials, dict) and "type" not in credentials and "access_key_id" in credentials:
        return {**raw, "credentials": {"type": "access_key", **credentials}}
    return raw


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return {name: _revealed(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _check_endpoint(url: str | None, secure: bool) -> None:
    """Raises: ValueError."""
    if url is None:
        return
    if not _URL.fullmatch(url):
        raise ValueError("endpoint_url is a host as https://minio.example.com:9000, without user, path or query")
    if url.lower().startswith("http://") and secure:
        raise ValueError("an endpoint_url of http:// goes unencrypted: say use_ssl false, or use https://")
