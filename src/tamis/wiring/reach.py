"""What stages may reach beyond data and models, by the settings: one line a port."""

import contextlib

from tamis.engine.reach import Reach
from tamis.outside.vault import Vault
from tamis.settings import Settings
from tamis.wiring.code import code_of
from tamis.wiring.language import language_of
from tamis.wiring.needs import lacks_of
from tamis.wiring.outside import outside_of
from tamis.wiring.search import web_search_of
from tamis.wiring.secrets import secrets_of
from tamis.wiring.sql import databases_of


def open_reach(settings: Settings, stack: contextlib.AsyncExitStack, vault: Vault) -> Reach:
    """vault: over the operator's secrets.  `stack` closes what was opened. Raises: ConfigurationError."""
    secrets = secrets_of(settings)
    language = language_of(settings, vault)
    stack.push_async_callback(language.close)
    code = code_of(settings)
    stack.push_async_callback(code.close)
    databases = databases_of(settings)
    stack.push_async_callback(databases.close)
    return Reach(
        language=language,
        outside=outside_of(settings, vault),
        web_search=web_search_of(settings, secrets),
        code=code,
        databases=databases,
        lacks=lacks_of(settings, secrets),
    )
