"""The new owner's side of a handover: load the generation that was built, replay what was written meanwhile, take over.

The journal holds every write that the old owner has applied since the copy was begun, each before it was acknowledged.
Replayed over a copy taken at any moment of it, it ends in the same state, for each write stands for itself.
"""

from pathlib import Path

from tamis.storage.index.files import ShardFiles
from tamis.storage.index.shard import Generation
from tamis.storage.index.wire import FrameBuffer, unpack

_ROUNDS_LIMIT = 50


class Successor:
    """A new generation of a shard that another process still owns."""

    def __init__(self, files: ShardFiles, target: Path, work: Path) -> None:
        self._files = files
        self._journal = (work / "journal").open("rb")
        self._frames = FrameBuffer()
        self._generation = Generation.load(target)

    def catch_up(self) -> None:
        """Replay until nothing is left; where writes keep coming, little is left for `take_over`."""
        self._replay()
        self._generation.engine.flush()  # the first one takes long: here nobody waits for it
        for _ in range(_ROUNDS_LIMIT):
            if not self._replay():
                return

    def take_over(self) -> Generation:
        """Only after the journal's last write. The generation is in use from here on. Raises: OSError."""
        while self._replay():
            pass
        self._journal.close()
        self._files.set_current(self._generation.path)
        return self._generation

    def _replay(self) -> bool:
        """A write torn by a kill was never acknowledged: it stays out."""
        data = self._journal.read()
        for frame in self._frames.feed(data):
            self._generation.apply(*unpack(frame))
        return bool(data)
