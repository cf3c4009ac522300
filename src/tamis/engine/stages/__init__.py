"""Every stage there is: one line each. The registry key is the stage's id, its file and its name in the API."""

from tamis.engine.stage import Stage
from tamis.engine.stages.agent_search import AgentSearch
from tamis.engine.stages.agentic_enrich import AgenticEnrich
from tamis.engine.stages.aggregate import Aggregate
from tamis.engine.stages.api_call import ApiCall
from tamis.engine.stages.attribute_filter import AttributeFilter
from tamis.engine.stages.cluster import Cluster
from tamis.engine.stages.code_execution import CodeExecution
from tamis.engine.stages.cross_compare import CrossCompare
from tamis.engine.stages.deduplicate import Deduplicate
from tamis.engine.stages.document_enrich import DocumentEnrich
from tamis.engine.stages.external_reverse_image import ExternalReverseImage
from tamis.engine.stages.external_web_search import ExternalWebSearch
from tamis.engine.stages.feature_search import FeatureSearch
from tamis.engine.stages.group_by import GroupBy
from tamis.engine.stages.json_transform import JsonTransform
from tamis.engine.stages.limit import Limit
from tamis.engine.stages.llm_enrich import LlmEnrich
from tamis.engine.stages.llm_filter import LlmFilter
from tamis.engine.stages.maxsim_rerank import MaxSimRerank
from tamis.engine.stages.mmr import Mmr
from tamis.engine.stages.query_expand import QueryExpand
from tamis.engine.stages.rag_prepare import RagPrepare
from tamis.engine.stages.rerank import Rerank
from tamis.engine.stages.sample import Sample
from tamis.engine.stages.score_normalize import ScoreNormalize
from tamis.engine.stages.sort_attribute import SortAttribute
from tamis.engine.stages.sort_relevance import SortRelevance
from tamis.engine.stages.sql_lookup import SqlLookup
from tamis.engine.stages.summarize import Summarize
from tamis.engine.stages.taxonomy_enrich import TaxonomyEnrich
from tamis.engine.stages.unwind import Unwind
from tamis.engine.stages.web_scrape import WebScrape

STAGES: dict[str, type[Stage]] = {
    "feature_search": FeatureSearch,
    "attribute_filter": AttributeFilter,
    "sort_attribute": SortAttribute,
    "sort_relevance": SortRelevance,
    "score_normalize": ScoreNormalize,
    "rerank": Rerank,
    "maxsim_rerank": MaxSimRerank,
    "mmr": Mmr,
    "limit": Limit,
    "sample": Sample,
    "deduplicate": Deduplicate,
    "group_by": GroupBy,
    "cluster": Cluster,
    "aggregate": Aggregate,
    "cross_compare": CrossCompare,
    "agent_search": AgentSearch,
    "agentic_enrich": AgenticEnrich,
    "llm_enrich": LlmEnrich,
    "llm_filter": LlmFilter,
    "query_expand": QueryExpand,
    "summarize": Summarize,
    "api_call": ApiCall,
    "sql_lookup": SqlLookup,
    "web_scrape": WebScrape,
    "external_web_search": ExternalWebSearch,
    "external_reverse_image": ExternalReverseImage,
    "code_execution": CodeExecution,
    "document_enrich": DocumentEnrich,
    "taxonomy_enrich": TaxonomyEnrich,
    "json_transform": JsonTransform,
    "rag_prepare": RagPrepare,
    "unwind": Unwind,
}
