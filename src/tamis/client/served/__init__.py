# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of the API, by noun."""

from tamis.client.connection import AsyncConnection, Connection
from tamis.client.served.alerts import Alerts, AsyncAlerts
from tamis.client.served.analytics import Analytics, AsyncAnalytics
from tamis.client.served.audit import AsyncAudit, Audit
from tamis.client.served.batches import AsyncBatches, Batches
from tamis.client.served.buckets import AsyncBuckets, Buckets
from tamis.client.served.clusters import AsyncClusters, Clusters
from tamis.client.served.collections import AsyncCollections, Collections
from tamis.client.served.connections import AsyncConnections, Connections
from tamis.client.served.credits import AsyncCredits, Credits
from tamis.client.served.discovery import AsyncDiscovery, Discovery
from tamis.client.served.documents import AsyncDocuments, Documents
from tamis.client.served.evaluations import AsyncEvaluations, Evaluations
from tamis.client.served.executions import AsyncExecutions, Executions
from tamis.client.served.health import AsyncHealth, Health
from tamis.client.served.inference import AsyncInference, Inference
from tamis.client.served.interactions import AsyncInteractions, Interactions
from tamis.client.served.lineage import AsyncLineage, Lineage
from tamis.client.served.manifests import AsyncManifests, Manifests
from tamis.client.served.namespaces import AsyncNamespaces, Namespaces
from tamis.client.served.objects import AsyncObjects, Objects
from tamis.client.served.organizations import AsyncOrganizations, Organizations
from tamis.client.served.public import AsyncPublic, Public
from tamis.client.served.published import AsyncPublished, Published
from tamis.client.served.resources import AsyncResources, Resources
from tamis.client.served.retrievers import AsyncRetrievers, Retrievers
from tamis.client.served.secrets import AsyncSecrets, Secrets
from tamis.client.served.sessions import AsyncSessions, Sessions
from tamis.client.served.snapshots import AsyncSnapshots, Snapshots
from tamis.client.served.stages import AsyncStages, Stages
from tamis.client.served.syncs import AsyncSyncs, Syncs
from tamis.client.served.tasks import AsyncTasks, Tasks
from tamis.client.served.taxonomies import AsyncTaxonomies, Taxonomies
from tamis.client.served.templates import AsyncTemplates, Templates
from tamis.client.served.triggers import AsyncTriggers, Triggers
from tamis.client.served.uploads import AsyncUploads, Uploads
from tamis.client.served.usage import AsyncUsage, Usage
from tamis.client.served.webhooks import AsyncWebhooks, Webhooks


class Nouns:
    """Each noun of the API as an attribute."""

    def __init__(self, connection: Connection) -> None:
        self.alerts = Alerts(connection)
        self.analytics = Analytics(connection)
        self.audit = Audit(connection)
        self.batches = Batches(connection)
        self.buckets = Buckets(connection)
        self.clusters = Clusters(connection)
        self.collections = Collections(connection)
        self.connections = Connections(connection)
        self.credits = Credits(connection)
        self.discovery = Discovery(connection)
        self.documents = Documents(connection)
        self.evaluations = Evaluations(connection)
        self.executions = Executions(connection)
        self.health = Health(connection)
        self.inference = Inference(connection)
        self.interactions = Interactions(connection)
        self.lineage = Lineage(connection)
        self.manifests = Manifests(connection)
        self.namespaces = Namespaces(connection)
        self.objects = Objects(connection)
        self.organizations = Organizations(connection)
        self.public = Public(connection)
        self.published = Published(connection)
        self.resources = Resources(connection)
        self.retrievers = Retrievers(connection)
        self.secrets = Secrets(connection)
        self.sessions = Sessions(connection)
        self.snapshots = Snapshots(connection)
        self.stages = Stages(connection)
        self.syncs = Syncs(connection)
        self.tasks = Tasks(connection)
        self.taxonomies = Taxonomies(connection)
        self.templates = Templates(connection)
        self.triggers = Triggers(connection)
        self.uploads = Uploads(connection)
        self.usage = Usage(connection)
        self.webhooks = Webhooks(connection)


class AsyncNouns:
    """Each noun of the API as an attribute."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.alerts = AsyncAlerts(connection)
        self.analytics = AsyncAnalytics(connection)
        self.audit = AsyncAudit(connection)
        self.batches = AsyncBatches(connection)
        self.buckets = AsyncBuckets(connection)
        self.clusters = AsyncClusters(connection)
        self.collections = AsyncCollections(connection)
        self.connections = AsyncConnections(connection)
        self.credits = AsyncCredits(connection)
        self.discovery = AsyncDiscovery(connection)
        self.documents = AsyncDocuments(connection)
        self.evaluations = AsyncEvaluations(connection)
        self.executions = AsyncExecutions(connection)
        self.health = AsyncHealth(connection)
        self.inference = AsyncInference(connection)
        self.interactions = AsyncInteractions(connection)
        self.lineage = AsyncLineage(connection)
        self.manifests = AsyncManifests(connection)
        self.namespaces = AsyncNamespaces(connection)
        self.objects = AsyncObjects(connection)
        self.organizations = AsyncOrganizations(connection)
        self.public = AsyncPublic(connection)
        self.published = AsyncPublished(connection)
        self.resources = AsyncResources(connection)
        self.retrievers = AsyncRetrievers(connection)
        self.secrets = AsyncSecrets(connection)
        self.sessions = AsyncSessions(connection)
        self.snapshots = AsyncSnapshots(connection)
        self.stages = AsyncStages(connection)
        self.syncs = AsyncSyncs(connection)
        self.tasks = AsyncTasks(connection)
        self.taxonomies = AsyncTaxonomies(connection)
        self.templates = AsyncTemplates(connection)
        self.triggers = AsyncTriggers(connection)
        self.uploads = AsyncUploads(connection)
        self.usage = AsyncUsage(connection)
        self.webhooks = AsyncWebhooks(connection)
