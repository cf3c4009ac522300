"""What is counted and traced, by the settings; the traces by OpenTelemetry's own."""

from tamis.engine.stages import STAGES
from tamis.services.upkeep.vitals import VitalsService
from tamis.settings import Settings
from tamis.telemetry.exporting import open_tracing
from tamis.telemetry.metrics import Metrics
from tamis.telemetry.page import MetricsPage
from tamis.telemetry.watching import Telemetry


def open_telemetry(settings: Settings) -> Telemetry:
    return Telemetry(Metrics(list(STAGES)) if settings.metrics else None, open_tracing())


def metrics_page(settings: Settings, telemetry: Telemetry, vitals: VitalsService) -> MetricsPage:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    return MetricsPage(telemetry.metrics, vitals.read, token, settings.host)
