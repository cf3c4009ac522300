"""What every implementation of the `Metadata` port must do, as tests that a backend inherits:

class TestMine(MetadataContract):
    @pytest.fixture
    async def metadata(self) -> AsyncIterator[Metadata]:
        ...  # an empty store for each test
"""

from tamis.testing.metadata_contract.analytics import AnalyticsContract
from tamis.testing.metadata_contract.answers import AnswersContract
from tamis.testing.metadata_contract.bookkeeping import BookkeepingContract
from tamis.testing.metadata_contract.documents import DocumentsContract
from tamis.testing.metadata_contract.evaluations import EvaluationsContract
from tamis.testing.metadata_contract.executions import ExecutionsContract
from tamis.testing.metadata_contract.files import FilesContract
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
from tamis.testing.metadata_contract.statistics import StatisticsContract
from tamis.testing.metadata_contract.transactions import TransactionsContract
from tamis.testing.metadata_contract.webhooks import WebhooksContract
from tamis.testing.metadata_contract.work import WorkContract


class MetadataContract(
    TransactionsContract,
    OrganizationsContract,
    ResourcesContract,
    ObjectsContract,
    WorkContract,
    DocumentsContract,
    FilesContract,
    HistoryContract,
    QueueContract,
    ExecutionsContract,
    RetentionContract,
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
):
    """The whole port."""


__all__ = ["MetadataContract"]
