"""What JSON can hold, as types."""

from collections.abc import Mapping
from typing import TypeAlias, Union

JSON: TypeAlias = Union[bool, int, float, str, list["JSON"], dict[str, "JSON"], None]
JSONObject: TypeAlias = Mapping[str, JSON]
