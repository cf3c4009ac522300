"""Who calls extractors, by the settings, and what an actor is told."""

import sys

import pytest
from pydantic import ValidationError

from tamis.errors import ConfigurationError
from tamis.settings import Settings
from tamis.wiring.benches import caller_of, open_bench, told_to_actors


def test_threads_call_where_no_cluster_is_named_or_nothing_is_taken_up() -> None:
    assert caller_of(Settings()) is None
    assert caller_of(Settings(ray_address="ray://head:10001", extraction_threads=0)) is None


def test_a_cluster_without_its_client_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "tamis.jobs.ray_actors", raising=False)
    with pytest.raises(ConfigurationError, match=r"TAMIS_RAY_ADDRESS needs .* pip install 'tamis\[ray\]'"):
        caller_of(Settings(ray_address="ray://head:10001"))


@pytest.mark.parametrize("address", ["auto", "head:6379", "ray://head", "http://head:10001", ""])
def test_what_is_no_address_of_a_ray_client_server_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="ray_address"):
        Settings(ray_address=address)


def test_an_actor_is_told_what_extraction_needs_and_no_way_to_the_data() -> None:
    hidden = {"database_url": "postgresql+psycopg://u:p@db/t", "root_key": "sk_" + "0" * 40, "blob_url": "s3://files"}
    settings = Settings(**hidden, model_threads=1, outside_networks="10.0.0.0/8")  # type: ignore[arg-type] # as texts
    told = told_to_actors(settings)
    assert not told.keys() & {*hidden, "index_url", "index_api_key", "cache_url", "secret_key", "tls_key", "data_dir"}
    assert (told["model_threads"], told["outside_networks"]) == (1, "10.0.0.0/8")
    extractors, _ = open_bench(told)
    assert extractors.get("text_extractor", "v1") is not None
