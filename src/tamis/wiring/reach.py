"""What stages may reach beyond data and models, by the settings: one line a port."""

from tamis.engine.reach import Reach
from tamis.settings import Settings
from tamis.wiring.language import language_of
from tamis.wiring.outside import outside_of
from tamis.wiring.secrets import secrets_of


def reach_of(settings: Settings) -> Reach:
    secrets = secrets_of(settings)
    return Reach(language=language_of(settings, secrets), outside=outside_of(settings, secrets))
