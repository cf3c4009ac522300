"""What stages would need and this server lacks, by the settings and what is installed. Nothing is opened for it."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from tamis.engine.needs import Lacks, Need
from tamis.inference.directory import DirectoryModel
from tamis.outside.secrets import SecretStore
from tamis.settings import Settings
from tamis.wiring.search import IMAGES, PAGES

_INSTALLED: Mapping[Need, tuple[tuple[str, ...], str]] = {
    Need.LANGUAGE: (("openai",), "llm"),
    Need.WEB_PAGES: (("protego", "trafilatura"), "web"),
    Need.CLUSTERING: (("sklearn", "threadpoolctl"), "cluster"),
}


def lacks_of(settings: Settings, secrets: SecretStore) -> Lacks:
    # What is to be installed comes first: a setting is of no use without it.
    return {**dict(_not_set(settings, secrets)), **dict(_not_installed(settings))}


def _not_installed(settings: Settings) -> Iterator[tuple[Need, str]]:
    for need, (modules, extra) in _INSTALLED.items():
        if not _installed(*modules):
            yield need, f"pip install 'tamis[{extra}]'"
    if not _installed("pydantic_monty") and not _installed("quickjs_rs", "wasmtime"):
        yield Need.PROGRAMS, "pip install 'tamis[code]'"
    if not _installed("fastembed") and not _has_models(settings):
        yield Need.RERANKER, "pip install 'tamis[rerank]', or a folder of TAMIS_MODEL_DIR"


def _not_set(settings: Settings, secrets: SecretStore) -> Iterator[tuple[Need, str]]:
    if not _knows_a_language_model(settings) and not secrets.entries:
        yield Need.LANGUAGE, "the operator sets TAMIS_LLM_API_KEY or TAMIS_LLM_BASE_URL"
    if not settings.outside_domains.strip():
        yield Need.OUTSIDE, "the operator sets TAMIS_OUTSIDE_DOMAINS"
    spoken = {one.protocol or name for name, one in settings.search_providers.items()}
    for need, protocols in ((Need.WEB_SEARCH, PAGES), (Need.IMAGE_SEARCH, IMAGES)):
        if spoken.isdisjoint(protocols):
            yield need, f"the operator sets TAMIS_SEARCH_PROVIDERS to one of {', '.join(protocols)}"
    if settings.code_workers == 0:
        yield Need.PROGRAMS, "TAMIS_CODE_WORKERS is 0"
    if not settings.sql_connections:
        yield Need.DATABASES, "the operator sets TAMIS_SQL_CONNECTIONS"


def _knows_a_language_model(settings: Settings) -> bool:
    return bool(settings.llm_providers or settings.llm_base_url or settings.llm_api_key)


def _has_models(settings: Settings) -> bool:
    return settings.model_dir is not None and bool(DirectoryModel.list(settings.model_dir))


def _installed(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)
