"""Which stages there are, and which of them wait for the operator."""

import logging

from tamis.engine.plugins.plugins import add_plugins
from tamis.engine.stages import STAGES
from tamis.services.runs.stage_catalogue import StageCatalogue
from tamis.settings import Settings
from tamis.wiring.needs import lacks_of
from tamis.wiring.secrets import secrets_of

log = logging.getLogger("tamis.stages")


def add_stage_plugins(settings: Settings) -> None:
    for plugin in add_plugins(STAGES, settings.stage_plugins.split(",")):
        log.info("the stage %s is from %s", plugin.stage.id, plugin)


def waiting_stages(settings: Settings) -> dict[str, list[str]]:
    """What is not set up, with the ids of the stages that need it. Raises: ConfigurationError."""
    add_stage_plugins(settings)
    found: dict[str, list[str]] = {}
    for stage, what in StageCatalogue(STAGES, lacks_of(settings, secrets_of(settings))).stages():
        if what is not None:
            found.setdefault(what, []).append(stage.id)
    return found
