"""Decoded frames of a sound to 16 kHz, mono, 16 bits."""

from typing import Any

from tamis.model.media_sound import SAMPLE_RATE

SAMPLE_BYTES = 2
_PART_S = 0.5


class Resampling:
    """To 16 kHz, mono, a good part of a second at a time: a codec's frames are small, and each call has its price.

    Set up anew where a stream changes its format on the way.
    """

    def __init__(self) -> None:
        self._format: tuple[Any, ...] | None = None
        self._waiting: Any = None
        self._graph: Any = None

    @property
    def waiting_s(self) -> float:
        """Given and not taken yet."""
        return float(self._waiting.samples / self._format[2]) if self._format is not None else 0.0

    def give(self, frame: Any) -> bytes:
        """What has become of it and those before; little or nothing where they still wait."""
        before = self._set_up(frame)
        # Times are kept by the place in the file; the resampler would take odd ones for a change of the stream.
        frame.pts = None
        self._waiting.write(frame)
        return before if self._waiting.samples < frame.sample_rate * _PART_S else before + self.taken()

    def taken(self) -> bytes:
        """Of all that waited; the filter holds back its own delay."""
        waiting = self._waiting.read() if self._waiting is not None else None
        return b"" if waiting is None else _through(self._graph, waiting)

    def rest(self) -> bytes:
        return b"" if self._graph is None else self.taken() + _through(self._graph, None)

    def _set_up(self, frame: Any) -> bytes:
        from av import AudioFifo

        format = (frame.format.name, frame.layout.name, frame.sample_rate)
        if format == self._format:
            return b""
        before = self.rest()
        self._format, self._waiting, self._graph = format, AudioFifo(), _graph(*format)
        return before


def _graph(format: str, layout: str, rate: int) -> Any:
    """What av.AudioResampler makes, but for the threads, of which nothing here has any use."""
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1
    graph.link_nodes(
        graph.add("abuffer", sample_fmt=format, channel_layout=layout, sample_rate=str(rate), time_base=f"1/{rate}"),
        graph.add("aformat", sample_fmts="s16", channel_layouts="mono", sample_rates=str(SAMPLE_RATE)),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _through(graph: Any, frame: Any) -> bytes:
    """frame: None for the end. Returns what the graph has ready."""
    graph.push(frame)
    parts: list[bytes] = []
    while True:
        try:
            made = graph.pull()
        except (BlockingIOError, EOFError):
            return b"".join(parts)
        # A plane may be longer than what is in it.
        parts.append(bytes(made.planes[0])[: made.samples * SAMPLE_BYTES])
