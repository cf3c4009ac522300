"""Search engines of others, by the settings. Nothing is sent before the first search."""

from dataclasses import replace

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.web_search import ImageQuery, Page, PageQuery, Sighting
from tamis.engine.reach import Reach
from tamis.engine.templating.sandbox import suggestion
from tamis.errors import ConfigurationError, OutsideRefusedError
from tamis.outside.http import HttpOutside
from tamis.outside.search.brave import BRAVE
from tamis.outside.search.exa import EXA
from tamis.outside.search.pictures import WithStoredPictures
from tamis.outside.search.protocol import ImageProtocol, PageProtocol
from tamis.outside.search.searches import WebSearches
from tamis.outside.search.searxng import SEARXNG
from tamis.outside.search.serpapi import SERPAPI
from tamis.outside.search.services import Service
from tamis.outside.search.tavily import TAVILY
from tamis.outside.search.tineye import TINEYE
from tamis.outside.search.vision import VISION
from tamis.outside.secrets import SecretStore
from tamis.outside.targets import Target, any_target
from tamis.settings import SearchProvider, Settings
from tamis.wiring.outside import rules_of

PAGES: dict[str, PageProtocol] = {one.name: one for one in (EXA, TAVILY, BRAVE, SEARXNG)}
IMAGES: dict[str, ImageProtocol] = {one.name: one for one in (SERPAPI, TINEYE, VISION)}
_SETTING = "TAMIS_SEARCH_PROVIDERS"


def web_search_of(settings: Settings, secrets: SecretStore) -> WebSearches:
    """Raises: ConfigurationError."""
    pages: dict[str, Service[PageQuery, Page]] = {}
    images: dict[str, Service[ImageQuery, Sighting]] = {}
    for name, given in settings.search_providers.items():
        spoken = given.protocol or name
        if spoken in PAGES:
            protocol = PAGES[spoken]
            pages[name] = Service(name, protocol, *_access(name, given, protocol, settings, secrets))
        elif spoken in IMAGES:
            sought = IMAGES[spoken]
            images[name] = Service(name, sought, *_access(name, given, sought, settings, secrets))
        else:
            known = suggestion(spoken, [*PAGES, *IMAGES])
            raise ConfigurationError(f"{_SETTING}: {name}: there is no protocol {spoken!r}{known}")
    return WebSearches(pages, images, settings.search_cache_s)


def with_stored_pictures(reach: Reach, metadata: Metadata, blobs: BlobStore) -> Reach:
    return replace(reach, web_search=WithStoredPictures(reach.web_search, metadata, blobs))


def _access(
    name: str, given: SearchProvider, protocol: PageProtocol | ImageProtocol, settings: Settings, secrets: SecretStore
) -> tuple[str, HttpOutside, str | None]:
    """The provider's base URL, requests to it and to nobody else, its key's name."""
    base_url = given.base_url or protocol.home
    if base_url is None:
        raise ConfigurationError(f"{_SETTING}: {name} needs base_url, the address of your own")
    try:
        target = any_target(base_url)
    except OutsideRefusedError as error:
        raise ConfigurationError(f"{_SETTING}: {name}.base_url: {error.message}") from error
    if given.key is None and protocol.needs_key:
        raise ConfigurationError(f"{_SETTING}: {name} needs key, the name of a secret in TAMIS_SECRETS")
    if given.key is not None:
        _check_key(name, given.key, target, secrets)
    # Who names a provider lets stages reach it; a network that is not public is still to be allowed.
    rules = replace(rules_of(settings), domains=(target.host,), ports=(target.port,))
    return base_url, HttpOutside(rules, secrets), given.key


def _check_key(name: str, key: str, target: Target, secrets: SecretStore) -> None:
    entry = secrets.entries.get(key)
    if entry is None:
        raise ConfigurationError(f"{_SETTING}: {name}.key: there is no secret {key!r} in TAMIS_SECRETS")
    if not entry.goes_to(target.host, target.in_clear):
        bound = f"http://{target.host}" if target.in_clear else target.host
        raise ConfigurationError(f"{_SETTING}: {name}.key: the secret {key!r} is not bound to the host {bound!r}")
