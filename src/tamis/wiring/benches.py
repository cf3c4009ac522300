"""Where extractors are called, by the settings: on threads, or by actors of a Ray cluster."""

import asyncio
import atexit
import shutil
import tempfile
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tamis.engine.ports.extraction import Extractors
from tamis.engine.ports.inference import Models
from tamis.errors import ConfigurationError
from tamis.jobs.calling import Caller
from tamis.outside.blocking import BlockingPages
from tamis.settings import Settings
from tamis.wiring.backends import decoding_of, extractors_of, local_models
from tamis.wiring.outside import outside_of
from tamis.wiring.secrets import secrets_of

_PREFIXES = ("decode_", "embedding_", "extractor_", "file_", "model_", "outside_", "secrets")
"""Of settings that an extractor's work depends on; an actor is told of no other, and of no database."""


def caller_of(settings: Settings) -> Caller | None:
    """None: threads. Raises: ConfigurationError."""
    if settings.ray_address is None or settings.extraction_threads == 0:
        return None
    try:
        from tamis.jobs.ray_actors import RayActors
    except ImportError as error:
        raise ConfigurationError("TAMIS_RAY_ADDRESS needs Ray's client: pip install 'tamis[ray]'") from error
    make = partial(open_bench, told_to_actors(settings))
    return RayActors(settings.ray_address, make, settings.extraction_threads)


def told_to_actors(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in Settings.model_fields if name.startswith(_PREFIXES)}


def open_bench(told: Mapping[str, Any]) -> tuple[Extractors, Models]:
    """In an actor: extractors with models and decoders of their own. They end with the process."""
    home = Path(tempfile.mkdtemp(prefix="tamis-bench-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    settings = Settings(**told)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="outside", daemon=True).start()
    models = local_models(settings)
    decoding = decoding_of(settings, home)
    pages = BlockingPages(outside_of(settings, secrets_of(settings)), loop)
    return extractors_of(settings, models, decoding, pages), models
