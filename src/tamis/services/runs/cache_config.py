"""A retriever's `cache_config`: checked when it is saved, read when it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.engine.templating.sandbox import suggestion
from tamis.errors import ValidationError
from tamis.model.retriever import StageSpec

DEFAULT_TTL_S = 3600.0
_LOC = ["body", "cache_config"]
_INPUTS = "inputs."


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """ttl_s: for how long answers are kept at most.  stages: names or ids of those that are cached one by one.

    excluded: inputs that do not tell answers apart.
    """

    ttl_s: float = DEFAULT_TTL_S
    stages: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def names(self, spec: StageSpec) -> bool:
        return spec.stage_name in self.stages or spec.stage_id in self.stages


def read_config(raw: Mapping[str, Any]) -> CacheConfig | None:
    """None where nothing is configured, or `enabled` is false."""
    if not raw or raw.get("enabled") is False:
        return None
    ttl_s = raw.get("ttl_seconds")
    return CacheConfig(
        ttl_s=float(ttl_s) if isinstance(ttl_s, int | float) else DEFAULT_TTL_S,
        stages=frozenset(_texts(raw.get("cache_stage_names"))),
        excluded=frozenset(name.removeprefix(_INPUTS) for name in _texts(raw.get("exclude_fields"))),
    )


def check_config(raw: Mapping[str, Any], stages: Sequence[StageSpec]) -> None:
    """Raises: ValidationError at the field."""
    if not isinstance(raw.get("enabled", True), bool):
        raise ValidationError.at([*_LOC, "enabled"], "true or false")
    ttl_s = raw.get("ttl_seconds")
    if ttl_s is not None and (not isinstance(ttl_s, int) or isinstance(ttl_s, bool) or ttl_s < 0):
        raise ValidationError.at([*_LOC, "ttl_seconds"], "a whole number of seconds, 0 or more")
    for name in ("cache_stage_names", "exclude_fields"):
        value = raw.get(name)
        if value is not None and (not isinstance(value, list) or len(_texts(value)) != len(value)):
            raise ValidationError.at([*_LOC, name], "a list of names")
    known = [name for spec in stages for name in (spec.stage_name, spec.stage_id)]
    for position, name in enumerate(_texts(raw.get("cache_stage_names"))):
        if name not in known:
            message = f"the pipeline has no stage {name!r}{suggestion(name, known)}"
            raise ValidationError.at([*_LOC, "cache_stage_names", position], message)


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
