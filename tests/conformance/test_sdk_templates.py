"""Templates, driven by the published client; and by the command."""

from typing import Any

import mixpeek

from tamis.client import Client
from tests.commands import tamis
from tests.conformance.conftest import Corpus
from tests.conformance.pipelines import INPUT_SCHEMA, search
from tests.conformance.wire import Wire
from tests.live import LiveServer

SUFFIXES = {"taxonomy": "_taxonomies"}


def test_templates_are_made_listed_and_used(
    wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus, server: LiveServer
) -> None:
    with server.client(corpus.namespace) as client:
        sources = _furnished(client, corpus)
    places: dict[str, dict[str, Any]] = {
        "bucket": {},
        "collection": {"bucket_ids": [corpus.bucket_id]},
        "retriever": {"collection_identifiers": ["notes"]},
        "taxonomy": {"collection_config": {"collection_id": "notes"}},
        "cluster": {"collection_ids": ["notes"]},
    }
    for kind, source in sources.items():
        title, suffix = kind.capitalize(), SUFFIXES.get(kind, "")
        api: Any = getattr(mixpeek, f"{title}TemplatesApi")(generated)
        body: Any = mixpeek.CreateTemplateFromResourceRequest.from_dict({"template_name": f"As {kind}"})
        getattr(api, f"create_{kind}_template{suffix}_from")(source, body)
        template_id = wire.last()["template_id"]
        getattr(api, f"get_{kind}_template{suffix}")(template_id)
        assert (wire.last()["name"], wire.last()["template_type"]) == (f"As {kind}", kind)
        getattr(api, f"list_{kind}_templates{suffix}")()
        listed = wire.last() if kind == "namespace" else wire.last()["results"]
        assert listed[0]["template_id"] == template_id
        if kind in places:
            request = getattr(mixpeek, f"Instantiate{title}TemplateRequest")
            made = request.from_dict({f"{kind}_name": f"templated-{kind}", **places[kind]})
            getattr(api, f"instantiate_{kind}_template{suffix}")(template_id, made)
            assert wire.last()[f"{kind}_name"] == f"templated-{kind}"


def test_the_command_shows_uses_saves_and_deletes(server: LiveServer, corpus: Corpus) -> None:
    def typed(*arguments: Any, status: int = 0) -> str:
        return tamis("templates", *arguments, server=server, status=status, TAMIS_NAMESPACE=corpus.namespace)

    assert "tmpl_product_search" in typed("list", "--kind", "namespace")
    assert 'query: "{{INPUT.query}}"' in typed("show", "tmpl_retriever_hybrid").replace("'", '"')
    assert "retriever typed-finder, ret_" in typed(
        "use", "tmpl_retriever_hybrid", "typed-finder", "--collection", "notes"
    )
    template = typed("save", "typed-finder", "Mine", "--kind", "retriever", "--mine").split()[-1]
    assert template in typed("list")
    typed("delete", template)
    assert "no template" in typed("show", template, status=1)


def _furnished(client: Client, corpus: Corpus) -> dict[str, str]:
    """By kind, the id of one."""
    stages = {"stages": [search(2)], "input_schema": INPUT_SCHEMA, "collection_identifiers": ["notes"]}
    by = {"cluster_type": "attribute", "attribute_config": {"attributes": ["topic"]}, "collection_ids": ["notes"]}
    config = {"taxonomy_type": "flat", "feature_uri": "embedding", "source_collection": {"collection_id": "notes"}}
    retriever = client.post("retrievers", {"retriever_name": "for-templates", **stages})
    cluster = client.post("clusters", {"cluster_name": "for-templates", **by})
    taxonomy = client.post("taxonomies", {"taxonomy_name": "for-templates", "config": config})
    return {
        "namespace": corpus.namespace,
        "bucket": corpus.bucket_id,
        "collection": corpus.collection_id,
        "retriever": retriever["retriever"]["retriever_id"],
        "cluster": cluster["cluster_id"],
        "taxonomy": taxonomy["taxonomy_id"],
    }
