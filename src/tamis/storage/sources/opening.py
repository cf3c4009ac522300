"""From a connection's settings to a storage that can be read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from obstore.store import AzureStore, GCSStore, S3Store

from tamis.engine.ports.storages import Guard, OpenStorage
from tamis.errors import NotBuiltError
from tamis.model.storage_connection import StorageProvider
from tamis.storage.sources.folders import AllowedFolder, open_folder
from tamis.storage.sources.object_stores import ObjectStoreStorage

_MISSING: Mapping[StorageProvider, str] = {
    StorageProvider.GOOGLE_DRIVE: "Google Drive is not read yet; copy the folder to an S3-compatible store, as with "
    "`rclone sync`, and connect that",
    StorageProvider.SHAREPOINT: "SharePoint is not read yet; copy the library to an S3-compatible store or Azure Blob "
    "Storage and connect that",
    StorageProvider.SNOWFLAKE: "Snowflake's rows are no files and are not read yet; unload them with COPY INTO an S3 "
    "stage and connect that",
}
_RETRIES: Any = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5), "base": 2.0},
}


class SourceStorages:
    """Implements Storages. own: folders of the server itself, which no connection reads."""

    def __init__(self, guard: Guard, allowed: Sequence[AllowedFolder], own: Sequence[Path]) -> None:
        self._guard = guard
        self._allowed = allowed
        self._own = own

    def open(self, organization_id: str, provider: StorageProvider, config: Mapping[str, Any]) -> OpenStorage:
        if provider in _MISSING:
            raise NotBuiltError(_MISSING[provider])
        if provider is StorageProvider.LOCAL:
            return open_folder(organization_id, config["folder"], self._allowed, self._own)
        return ObjectStoreStorage(_OPENERS[provider](config, self._guard))


def _client(guard: Guard, **more: Any) -> Any:
    """The whole of a download may take long; silence may not."""
    whole, silence = timedelta(hours=2), timedelta(seconds=60)
    return {"proxy_url": guard.proxy_url, "timeout": whole, "read_timeout": silence, "connect_timeout": "10s", **more}


def _given(**credentials: Any) -> Callable[[], Any]:
    """As obstore asks for them, each time that it has none."""
    return lambda: {**credentials, "expires_at": None}


def _s3(config: Mapping[str, Any], guard: Guard) -> Callable[[str], Any]:
    credentials = config["credentials"]
    if credentials["type"] == "iam_role":
        raise NotBuiltError(
            "this server has no account at AWS that could assume a role; give an access key that may read the bucket"
        )
    secure = config.get("use_ssl", True)
    endpoint = config.get("endpoint_url") or f"https://s3.{config['region']}.amazonaws.com"
    guard.check(endpoint)
    return partial(
        S3Store,
        endpoint=endpoint.rstrip("/"),
        region=config["region"],
        # Not as settings: what is left out of them would be taken from the operator's own environment.
        credential_provider=_given(
            access_key_id=credentials["access_key_id"],
            secret_access_key=credentials["secret_access_key"],
            token=credentials.get("session_token"),
        ),
        skip_signature=False,
        virtual_hosted_style_request=False,
        client_options=_client(
            guard, allow_http=not secure, allow_invalid_certificates=not config.get("verify_ssl", True)
        ),
        retry_config=_RETRIES,
    )


def _gcs(config: Mapping[str, Any], guard: Guard) -> Callable[[str], Any]:
    guard.check("https://storage.googleapis.com")
    key = orjson.dumps(config["credentials"]).decode()
    return partial(
        GCSStore, service_account_key=key, skip_signature=False, client_options=_client(guard), retry_config=_RETRIES
    )


def _azure(config: Mapping[str, Any], guard: Guard) -> Callable[[str], Any]:
    credentials = config["credentials"]
    endpoint = f"https://{credentials['account_name']}.blob.core.windows.net"
    guard.check(endpoint)
    return partial(
        AzureStore,
        account_name=credentials["account_name"],
        credential_provider=_given(access_key=credentials["account_key"]),
        skip_signature=False,
        use_emulator=False,
        endpoint=endpoint,
        client_options=_client(guard),
        retry_config=_RETRIES,
    )


_OPENERS: Mapping[StorageProvider, Callable[[Mapping[str, Any], Guard], Callable[[str], Any]]] = {
    StorageProvider.S3: _s3,
    StorageProvider.TIGRIS: _s3,
    StorageProvider.GCS: _gcs,
    StorageProvider.AZURE: _azure,
}
