"""`tamis doctor`: what is installed, which models are at hand, what is missing and how to get it."""

import asyncio
import importlib.metadata
import platform
import sys

from rich.markup import escape
from rich.table import Table

from tamis import __version__
from tamis.cli.terminal import out
from tamis.settings import Settings

_PARTS = {
    "fastapi": "HTTP",
    "uvicorn": "HTTP",
    "sqlalchemy": "system of record",
    "qdrant-edge-py": "embedded index",
    "onnxruntime": "models",
    "tokenizers": "models",
    "obstore": "blobs",
    "av": "sound and video (pip install 'tamis[media]')",
    "faster-whisper": "speech to text (pip install 'tamis[media]')",
    "scikit-learn": "clusters (pip install 'tamis[cluster]')",
    "pydantic-monty": "programs in Python (pip install 'tamis[code]')",
    "quickjs-rs": "programs in JavaScript (pip install 'tamis[code]')",
    "psycopg": "PostgreSQL (pip install 'tamis[postgres]')",
    "redis": "caches and rates of several servers (pip install 'tamis[redis]')",
    "qdrant-client": "Qdrant cluster (pip install 'tamis[qdrant]')",
    "opentelemetry-sdk": "traces (pip install 'tamis[otel]')",
}


def doctor() -> None:
    """Say what is here and what is missing. Exit status 1 where something that is needed is missing."""
    from tamis.wiring.operation import model_report
    from tamis.wiring.sharing import sharing_report
    from tamis.wiring.sql import database_report
    from tamis.wiring.stages import waiting_stages

    out.print(f"Tamis {__version__}, Python {platform.python_version()}, {platform.platform()}", highlight=False)
    parts = Table("package", "version", "for", pad_edge=False)
    for name, purpose in _PARTS.items():
        parts.add_row(name, _version(name), escape(purpose))
    out.print(parts)
    out.print(_telemetry(Settings()), highlight=False)
    for need, stages in waiting_stages(Settings()).items():
        out.print(f"[bold]{', '.join(stages)}[/]: not set up: {escape(need)}", highlight=False)
    if (sharing := asyncio.run(sharing_report(Settings()))) is not None:
        out.print(f"redis: {sharing}", highlight=False, markup=False)
    for name, answer in asyncio.run(database_report(Settings())).items():
        out.print(f"database {name}: {answer}", highlight=False, markup=False)
    models = Table("model file", "size", "licence", "where", pad_edge=False)
    missing = []
    for line in model_report(Settings()):
        models.add_row(line.name, f"{line.size_bytes / 1e6:.1f} MB", line.license, str(line.where or "[red]missing[/]"))
        if line.where is None:
            missing.append(line)
    out.print(models)
    for line in missing:
        out.print(f"[bold]{line.name}[/] is missing: {line.how_to_get}", highlight=False)
    sys.exit(1 if any(line.is_needed for line in missing) else 0)


def _telemetry(settings: Settings) -> str:
    from tamis.telemetry.exporting import tracing_plan

    tracing = tracing_plan()
    traces = tracing.problem or (f"on, to {tracing.target}" if tracing.is_on else "off (OTEL_EXPORTER_OTLP_ENDPOINT)")
    token = "with a token" if settings.metrics_token else "from this machine alone"
    metrics = f"on at /metrics, {token}" if settings.metrics else "off (TAMIS_METRICS)"
    return f"traces: {traces}; metrics: {metrics}"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "[yellow]not installed[/]"
