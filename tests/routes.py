"""Routes worked out once for all the applications that tests build of them: that is most of what building one costs.

FastAPI works a route out for each application that it is included in. What comes out is the same each time, but for
whose dependencies may be overridden, and nothing here overrides any.
"""

from typing import Any

from fastapi import routing

_Context = routing._EffectiveRouteContext
_work_out = _Context.from_api_route.__func__  # type: ignore[attr-defined]  # of a class method
_kept: dict[tuple[Any, ...], routing._EffectiveRouteContext] = {}


def keep_routes() -> None:
    """From now on, in this process."""
    _Context.from_api_route = classmethod(_once)  # type: ignore[method-assign,assignment]


def _once(
    cls: type[_Context], *, original_route: routing.APIRoute, include_context: routing._RouterIncludeContext
) -> _Context:
    given: dict[str, Any] = {"original_route": original_route, "include_context": include_context}
    if not original_route.endpoint.__module__.startswith("tamis."):
        return _work_out(cls, **given)  # type: ignore[no-any-return]  # of a test's own, gone when it ends
    route, around = original_route, include_context
    naming = getattr(around.generate_unique_id_function, "value", around.generate_unique_id_function)
    key = (
        route.endpoint,
        route.path,
        *sorted(route.methods or ()),
        around.prefix,
        *around.tags,
        naming,
        *around.responses,
    )
    if key not in _kept:
        _kept[key] = _work_out(cls, **given)
    return _kept[key]
