"""Frames on the index's socket, the names of its directories, and what the server's side of both does not load."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tamis.storage.index.files import safe_name
from tamis.storage.index.wire import FrameBuffer, pack, unpack


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_names_of_directories_are_safe_and_different(pair: list[str]) -> None:
    names = [safe_name(text.encode("utf-8", "replace").decode()) for text in pair]
    assert all(name and "/" not in name and "." not in name and len(name) < 255 for name in names)
    if pair[0].encode("utf-8", "replace") != pair[1].encode("utf-8", "replace"):
        assert names[0] != names[1]


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(1, 30)))
def test_frames_survive_any_cutting(bodies: list[bytes], cuts: list[int]) -> None:
    stream, buffer, found = b"".join(pack(body) for body in bodies), FrameBuffer(), []
    for size in [*cuts, len(stream)]:
        found += [unpack(frame) for frame in buffer.feed(stream[:size])] if stream[:size] else []
        stream = stream[size:]
    assert found == bodies


_SERVER = """
import asyncio, sys
from pathlib import Path
from tamis.storage.index import open_edge_index
async def main():
    await (await open_edge_index(Path(sys.argv[1]))).close()
asyncio.run(main())
assert "qdrant_edge" not in sys.modules
"""


def test_the_server_never_loads_the_engine(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _SERVER, str(tmp_path)], check=True)
