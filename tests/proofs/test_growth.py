"""What `benchmarks/growth.py` measures can be measured, and drawn; how much is for the benchmark to tell."""

from pathlib import Path
from xml.etree import ElementTree

from benchmarks.growth import Growth, report
from benchmarks.growth_plot import plot

from tests.live import LiveServer


def test_a_collection_that_grows_is_measured_and_drawn(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        growth = Growth(server, queries=10)
        growth.create()
        rows = [growth.grow(600)]
    (row,) = rows
    assert row.documents == 600
    assert min(row.rate, row.search_ms, row.own_mb, row.disk_mb, row.found_s - row.ready_s) > 0
    assert "| 600 |" in report(rows)
    drawn = ElementTree.fromstring(plot(rows))
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}polyline")) == 7
