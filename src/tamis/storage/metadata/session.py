"""One transaction's view of the system of record: every kind of thing, over one connection."""

from collections.abc import Sequence

from tamis.engine.ports.agent_sessions import AgentSessions
from tamis.engine.ports.alerts import AlertExecutions
from tamis.engine.ports.analytics import Analytics, Arrivals, Extractions
from tamis.engine.ports.answers import Answers
from tamis.engine.ports.bookkeeping import Audit, Credits, StoredSecrets, Usage
from tamis.engine.ports.clusters import ClusterRuns
from tamis.engine.ports.evaluations import Evaluations, RetrieverVersions
from tamis.engine.ports.executions import Executions
from tamis.engine.ports.files import Files
from tamis.engine.ports.installation import EndedSessions, Installation
from tamis.engine.ports.interactions import Interactions
from tamis.engine.ports.learning import FusionCredits
from tamis.engine.ports.metadata import (
    Batches,
    Blobs,
    Documents,
    History,
    IndexQueue,
    Keys,
    Objects,
    Organizations,
    Resources,
    StageStatistics,
    Tasks,
    Uploads,
)
from tamis.engine.ports.namespace_events import NamespaceEvents
from tamis.engine.ports.publishing import Published
from tamis.engine.ports.remains import Remains
from tamis.engine.ports.rollouts import Rollouts
from tamis.engine.ports.syncs import BucketSyncs, StorageConnections
from tamis.engine.ports.taxonomies import Assignments, TaxonomyVersions
from tamis.engine.ports.templates import Templates
from tamis.engine.ports.triggers import DueRuns, Firings, Triggers
from tamis.engine.ports.walks import Walks
from tamis.engine.ports.webhooks import Deliveries, Webhooks
from tamis.model.alert import Alert
from tamis.model.bucket import Bucket
from tamis.model.cluster import Cluster
from tamis.model.collection import Collection
from tamis.model.dataset import Dataset
from tamis.model.namespace import Namespace
from tamis.model.namespace_migration import NamespaceMigration
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.model.snapshot import Snapshot
from tamis.model.taxonomy import Taxonomy
from tamis.storage.metadata.agent_sessions import SqlAgentSessions
from tamis.storage.metadata.alerts import SqlAlertExecutions
from tamis.storage.metadata.analytics import SqlAnalytics
from tamis.storage.metadata.answers import SqlAnswers
from tamis.storage.metadata.arrivals import SqlArrivals
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.batches import SqlBatches
from tamis.storage.metadata.bucket_syncs import SqlBucketSyncs
from tamis.storage.metadata.cluster_runs import SqlClusterRuns
from tamis.storage.metadata.credits import SqlCredits
from tamis.storage.metadata.documents import SqlDocuments
from tamis.storage.metadata.evaluations import SqlEvaluations
from tamis.storage.metadata.execution_inbox import ExecutionInbox
from tamis.storage.metadata.executions import SqlExecutions
from tamis.storage.metadata.extraction_figures import SqlExtractions
from tamis.storage.metadata.files import SqlFiles
from tamis.storage.metadata.fusion_credits import SqlFusionCredits
from tamis.storage.metadata.history import SqlHistory
from tamis.storage.metadata.index_queue import SqlIndexQueue
from tamis.storage.metadata.input_blobs import SqlInputBlobs
from tamis.storage.metadata.installation import SqlEndedSessions, SqlInstallation
from tamis.storage.metadata.interactions import SqlInteractions
from tamis.storage.metadata.keys import SqlKeys
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.namespace_events import SqlNamespaceEvents
from tamis.storage.metadata.narrowed_documents import NarrowedDocuments
from tamis.storage.metadata.objects import SqlObjects
from tamis.storage.metadata.organizations import SqlOrganizations
from tamis.storage.metadata.published import SqlPublished
from tamis.storage.metadata.purge import purge_namespace
from tamis.storage.metadata.remains import SqlRemains
from tamis.storage.metadata.resources import (
    ALERTS,
    BUCKETS,
    CLUSTERS,
    COLLECTIONS,
    DATASETS,
    NAMESPACE_MIGRATIONS,
    NAMESPACES,
    RETRIEVERS,
    SNAPSHOTS,
    TAXONOMIES,
    SqlResources,
    every_namespace,
)
from tamis.storage.metadata.retriever_versions import SqlRetrieverVersions
from tamis.storage.metadata.rollouts import SqlRollouts
from tamis.storage.metadata.secrets import SqlSecrets
from tamis.storage.metadata.stage_statistics import SqlStageStatistics
from tamis.storage.metadata.storage_connections import SqlStorageConnections
from tamis.storage.metadata.tasks import SqlTasks
from tamis.storage.metadata.taxonomies import SqlAssignments, SqlTaxonomyVersions
from tamis.storage.metadata.templates import SqlTemplates
from tamis.storage.metadata.triggers import SqlDueRuns, SqlFirings, SqlTriggers
from tamis.storage.metadata.uploads import SqlUploads
from tamis.storage.metadata.usage import SqlUsage
from tamis.storage.metadata.walks import SqlWalks
from tamis.storage.metadata.webhooks import SqlDeliveries, SqlEvents, SqlWebhooks


class SqlSession:
    """Made once for each connection; the owner of the link begins and ends its transactions."""

    def __init__(self, link: Link) -> None:
        self.link = link
        followed = SqlNamespaceEvents(link)
        self.namespace_events: NamespaceEvents = followed
        events = SqlEvents(link, followed)
        audit = self._audit = SqlAudit(link, events)
        self.audit: Audit = audit
        self.organizations: Organizations = SqlOrganizations(link, audit)
        self.keys: Keys = SqlKeys(link, audit)
        self.secrets: StoredSecrets = SqlSecrets(link, audit)
        self.usage: Usage = SqlUsage(link)
        inbox = self.inbox = ExecutionInbox(link)
        self.analytics: Analytics = SqlAnalytics(link, inbox.settle)
        self.extractions: Extractions = SqlExtractions(link)
        self.arrivals: Arrivals = SqlArrivals(link)
        self.credits: Credits = SqlCredits(link, inbox.settle)
        self.namespaces: Resources[Namespace] = SqlResources(link, NAMESPACES, audit)
        self.buckets: Resources[Bucket] = SqlResources(link, BUCKETS, audit)
        history = SqlHistory(link, inbox.settle)
        self.history: History = history
        files = SqlFiles(link)
        self.files: Files = files
        self.objects: Objects = SqlObjects(link, files, events)
        self.collections: Resources[Collection] = SqlResources(link, COLLECTIONS, audit, history)
        self.retrievers: Resources[Retriever] = SqlResources(link, RETRIEVERS, audit)
        self.retriever_versions: RetrieverVersions = SqlRetrieverVersions(link)
        self.rollouts: Rollouts = SqlRollouts(link, audit)
        self.datasets: Resources[Dataset] = SqlResources(link, DATASETS, audit)
        self.taxonomies: Resources[Taxonomy] = SqlResources(link, TAXONOMIES, audit)
        self.taxonomy_versions: TaxonomyVersions = SqlTaxonomyVersions(link)
        self.assignments: Assignments = SqlAssignments(link)
        self.templates: Templates = SqlTemplates(link, audit)
        self.evaluations: Evaluations = SqlEvaluations(link)
        self.uploads: Uploads = SqlUploads(link)
        self.batches: Batches = SqlBatches(link)
        self.tasks: Tasks = SqlTasks(link, events)
        self.walks: Walks = SqlWalks(link)
        queue = SqlIndexQueue(link)
        self.index_queue: IndexQueue = queue
        self.documents: Documents = NarrowedDocuments(SqlDocuments(link, queue, history, files, events))
        self.executions: Executions = SqlExecutions(link, inbox)
        self.input_blobs: Blobs = SqlInputBlobs(link)
        self.answers: Answers = SqlAnswers(link)
        self.remains: Remains = SqlRemains(link)
        self.stage_statistics: StageStatistics = SqlStageStatistics(link)
        self.installation: Installation = SqlInstallation(link)
        self.ended_sessions: EndedSessions = SqlEndedSessions(link)
        self.published: Published = SqlPublished(link, audit)
        self.fusion_credits: FusionCredits = SqlFusionCredits(link)
        self.interactions: Interactions = SqlInteractions(link, SqlFusionCredits(link))
        self._automate(link, audit, events)

    def _automate(self, link: Link, audit: SqlAudit, events: SqlEvents) -> None:
        """What tells of the data, copies it and works on it by itself."""
        self.webhooks: Webhooks = SqlWebhooks(link, audit)
        self.deliveries: Deliveries = SqlDeliveries(link)
        self.namespace_migrations: Resources[NamespaceMigration] = SqlResources(link, NAMESPACE_MIGRATIONS, audit)
        self.snapshots: Resources[Snapshot] = SqlResources(link, SNAPSHOTS, audit)
        self.clusters: Resources[Cluster] = SqlResources(link, CLUSTERS, audit)
        self.cluster_runs: ClusterRuns = SqlClusterRuns(link)
        self.agent_sessions: AgentSessions = SqlAgentSessions(link, audit)
        self.storage_connections: StorageConnections = SqlStorageConnections(link, audit)
        self.bucket_syncs: BucketSyncs = SqlBucketSyncs(link, audit)
        self.triggers: Triggers = SqlTriggers(link, audit, events)
        self.firings: Firings = SqlFirings(link, events)
        self.due_runs: DueRuns = SqlDueRuns(link)
        self.alerts: Resources[Alert] = SqlResources(link, ALERTS, audit)
        self.alert_executions: AlertExecutions = SqlAlertExecutions(link, events)

    def every_namespace(self) -> Sequence[tuple[Principal, Namespace]]:
        return every_namespace(self.link)

    def purge_namespace(self, principal: Principal) -> None:
        namespace = self.namespaces.get(principal, principal.namespace_id)
        self.inbox.settle()  # what they cost is still to be counted
        purge_namespace(self.link, principal)
        if namespace is not None:
            self._audit.changed(principal, "namespace", namespace.namespace_id, namespace, None)
