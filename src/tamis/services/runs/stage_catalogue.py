"""The stages that there are, and what this server lacks for those that do not run on it as it is set up."""

from collections.abc import Mapping, Sequence

from tamis.engine.needs import Lacks
from tamis.engine.planning.lacking import missing
from tamis.engine.stage import Stage


class StageCatalogue:
    def __init__(self, registry: Mapping[str, type[Stage]], lacks: Lacks) -> None:
        self._registry = registry
        self._lacks = lacks

    def stages(self) -> Sequence[tuple[type[Stage], str | None]]:
        """Each with what it needs that is not set up; None where it runs."""
        return [(stage, missing(stage, self._lacks)) for stage in self._registry.values()]
