"""What every implementation of the `Metadata` port must do, as tests that a backend inherits:

class TestMine(MetadataContract):
    @pytest.fixture
    async def metadata(self) -> AsyncIterator[Metadata]:
        ...  # an empty store for each test
"""

from tamis.testing.metadata_contract.agent_sessions import AgentSessionsContract
from tamis.testing.metadata_contract.alerts import AlertsContract
from tamis.testing.metadata_contract.analytics import AnalyticsContract
from tamis.testing.metadata_contract.answers import AnswersContract
from tamis.testing.metadata_contract.bookkeeping import BookkeepingContract
from tamis.testing.metadata_contract.clusters import ClustersContract
from tamis.testing.metadata_contract.documents import DocumentsContract
from tamis.testing.metadata_contract.evaluations import EvaluationsContract
from tamis.testing.metadata_contract.executions import ExecutionsContract
from tamis.testing.metadata_contract.files import FilesContract
from tamis.testing.metadata_contract.followed import FollowedContract
from tamis.testing.metadata_contract.history import HistoryContract
from tamis.testing.metadata_contract.installation import InstallationContract
from tamis.testing.metadata_contract.interactions import InteractionsContract
from tamis.testing.metadata_contract.objects import ObjectsContract
from tamis.testing.metadata_contract.organizations import OrganizationsContract
from tamis.testing.metadata_contract.publishing import PublishingContract
from tamis.testing.metadata_contract.queue import QueueContract
from tamis.testing.metadata_contract.remains import RemainsContract
from tamis.testing.metadata_contract.resources import ResourcesContract
from tamis.testing.metadata_contract.retention import RetentionContract
from tamis.testing.metadata_contract.rollouts import RolloutsContract
from tamis.testing.metadata_contract.spans import SpansContract
from tamis.testing.metadata_contract.statistics import StatisticsContract
from tamis.testing.metadata_contract.syncs import SyncsContract
from tamis.testing.metadata_contract.taxonomies import TaxonomiesContract
from tamis.testing.metadata_contract.templates import TemplatesContract
from tamis.testing.metadata_contract.transactions import TransactionsContract
from tamis.testing.metadata_contract.triggers import TriggersContract
from tamis.testing.metadata_contract.walks import WalksContract
from tamis.testing.metadata_contract.webhooks import WebhooksContract
from tamis.testing.metadata_contract.work import WorkContract


class MetadataContract(
    TransactionsContract,
    OrganizationsContract,
    ResourcesContract,
    ObjectsContract,
    WorkContract,
    WalksContract,
    TaxonomiesContract,
    TemplatesContract,
    DocumentsContract,
    FilesContract,
    HistoryContract,
    QueueContract,
    ExecutionsContract,
    RetentionContract,
    SpansContract,
    AnalyticsContract,
    StatisticsContract,
    AnswersContract,
    InstallationContract,
    RemainsContract,
    PublishingContract,
    InteractionsContract,
    EvaluationsContract,
    RolloutsContract,
    BookkeepingContract,
    WebhooksContract,
    FollowedContract,
    ClustersContract,
    AgentSessionsContract,
    SyncsContract,
    AlertsContract,
    TriggersContract,
):
    """The whole port."""


__all__ = ["MetadataContract"]
