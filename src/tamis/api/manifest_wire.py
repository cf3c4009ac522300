"""How an entry of a manifest is read: by the model of the request that makes the resource, field by field."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pydantic
from pydantic import BaseModel

from tamis.errors import ValidationError
from tamis.model.principal import NamespaceOperation
from tamis.services.manifests.kind import Body, Crew, Stored, unknown_fields


class WireKind:
    """A kind whose entries are read by the model of the request that makes one."""

    section: ClassVar[str]
    label: ClassVar[str]
    model: ClassVar[type[BaseModel]]
    fixed: ClassVar[frozenset[str]] = frozenset()
    late: ClassVar[frozenset[str]] = frozenset()
    operation: ClassVar[NamespaceOperation] = NamespaceOperation.MODIFY_INFRASTRUCTURE
    spellings: ClassVar[Mapping[str, str]] = {}

    def full(self, body: Body) -> Body:
        return self._respelt(self.read(body).model_dump(mode="json", exclude_none=True))

    def completed(self, crew: Crew, written: Body, stored: Stored) -> Body:
        return {**stored.body, **written}

    def read(self, body: Body) -> Any:
        """The model. Raises: ValidationError with each fault, a field that nobody reads among them."""
        wire = {entry: name for name, entry in self.spellings.items()}
        spelt = {wire.get(name, name): value for name, value in body.items()}
        try:
            read = self.model.model_validate(spelt)
        except pydantic.ValidationError as error:
            problems = [
                {"loc": ["body", *_plain(one["loc"], spelt)], "msg": one["msg"], "type": one["type"]}
                for one in error.errors()
            ]
            raise ValidationError(f"{problems[0]['msg']}", problems=problems) from None
        unread = unknown_fields(spelt, read.model_dump(mode="json", exclude_unset=True))
        own = [place for place in self.spellings if place in body]
        if unread or own:
            raise ValidationError(problems=[self._unread(place) for place in [*unread, *((one,) for one in own)]])
        return read

    def _unread(self, place: tuple[str | int, ...]) -> dict[str, Any]:
        known = [self.spellings.get(name, name) for name in self.model.model_fields]
        nearest = self.spellings.get(str(place[0]), "") or next(
            iter(difflib.get_close_matches(str(place[-1]), known, n=1) if len(place) == 1 else ()), ""
        )
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        return {"loc": ["body", *place], "msg": f"no field that is read here{hint}", "type": "unread"}

    def _respelt(self, body: Mapping[str, Any]) -> Body:
        return {self.spellings.get(name, name): value for name, value in body.items()}


def _plain(loc: Sequence[str | int], value: Any) -> list[str | int]:
    """A place as far as it is in what was written: pydantic puts names of alternatives between."""
    place: list[str | int] = []
    for part in loc:
        inside = isinstance(value, dict) and part in value
        if inside or (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            value = value[part]
            place.append(part)
        elif part == loc[-1] and isinstance(part, str) and isinstance(value, dict):
            place.append(part)
    return place


def counted(count: int, what: str) -> str:
    """`3 objects`, `1 object`; empty for none."""
    return f"{count} {what}{'' if count == 1 else 's'}" if count else ""
