"""What a delete leaves outside of the system of record."""

from dataclasses import dataclass, field
from enum import StrEnum

from tamis.model.ids import new_id


class RemainKind(StrEnum):
    """shard: of a collection, in the index.  files: all whose keys begin so.  file: one."""

    SHARD = "shard"
    FILES = "files"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Remain:
    """name: the collection's id, the beginning of the files' keys, the file's key."""

    kind: RemainKind
    name: str
    remain_id: str = field(default_factory=lambda: new_id("rem"))
