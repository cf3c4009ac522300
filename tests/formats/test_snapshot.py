"""Parts of snapshots that older versions took, kept in this folder, are still read."""

from pathlib import Path

import msgspec
import orjson
import pytest

from tamis.errors import StorageError
from tamis.services.data.snapshot_rows import KINDS, decode_part
from tests.formats import make_snapshot
from tests.formats.test_metadata import missing

SAMPLES = sorted(Path(__file__).parent.glob("snapshot_*"))


def test_this_format_has_a_sample_of_every_kind() -> None:
    assert make_snapshot.HERE in SAMPLES
    assert {row.kind for row in make_snapshot.rows()} == set(KINDS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.name))
def test_an_old_part_is_read(sample: Path) -> None:
    found = orjson.loads(msgspec.json.encode(make_snapshot.plain(decode_part((sample / "part.msgpack").read_bytes()))))
    assert missing(orjson.loads((sample / "rows.json").read_bytes()), found) == []


@pytest.mark.parametrize("part", [b"", b"\x91\x93\xa6unseen\xc4\x02{}\xc0", b"\x91\x91\x01"])
def test_what_is_no_part_is_said(part: bytes) -> None:
    with pytest.raises(StorageError, match="part of this snapshot"):
        decode_part(part)
