"""Clusters of collections: what there is, and what a run of one found, drawn and listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from tamis.engine.ports.clusters import MemberQuery
from tamis.errors import BadRequestError
from tamis.model.cluster import NOISE, FoundCluster, Member
from tamis.services.learning.cluster_runs import ClusterRunService, RunDetails
from tamis.services.learning.clusters import ClusterDetails, ClusterService
from tamis.services.listing import ListQuery
from tamis.studio.lineage import names_of
from tamis.studio.places import page_number, placed
from tamis.studio.scatter import HEIGHT, WIDTH, colour_of, scatter
from tamis.studio.visit import Visit

PAGE_SIZE = 20
_RUNS = 10
_DRAWN = 1_500
_MOST_DRAWN_CLUSTERS = 50
_LISTED = 200
"""Clusters in the table, the largest."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cluster of a run. share: of the largest, in percent."""

    found: FoundCluster
    colour: str
    share: float


async def index(visit: Visit) -> Response:
    at = page_number(visit)
    query = ListQuery(limit=PAGE_SIZE, offset=(at - 1) * PAGE_SIZE)
    page, _ = await visit.service(ClusterService).list(visit.principal, query)
    return visit.page("clusters.html", clusters=page, names=await names_of(visit), at=at, page_size=PAGE_SIZE)


async def show(visit: Visit) -> Response:
    """Of one run, the newest where none is named. Raises: NotFoundError, BadRequestError."""
    visit, details = await _cluster_of(visit)
    runs, _ = await _runs(visit).list(visit.principal, details.cluster.cluster_id, ListQuery(limit=_RUNS))
    values: dict[str, Any] = {"chosen": None}
    if runs.items:
        values = await _found(visit, details, visit.asked("run") or runs.items[0].run.run_id)
    return placed(
        visit, "cluster.html", details=details, cluster=details.cluster, runs=runs.items,
        names=await names_of(visit), **values,
    )  # fmt: skip


async def run(visit: Visit) -> Response:
    """Raises: ConflictError while one is under way."""
    visit, details = await _cluster_of(visit)
    await _runs(visit).start(visit.principal, details.cluster.cluster_id)
    return visit.moved(f"/data/clusters/{details.cluster.cluster_id}")


async def cancel(visit: Visit) -> Response:
    """Raises: ConflictError where it has ended."""
    visit, details = await _cluster_of(visit)
    run_id = str(visit.request.path_params["run_id"])
    await _runs(visit).cancel(visit.principal, details.cluster.cluster_id, run_id)
    return visit.moved(f"/data/clusters/{details.cluster.cluster_id}")


async def delete(visit: Visit) -> Response:
    visit, details = await _cluster_of(visit)
    await visit.service(ClusterService).delete(visit.principal, details.cluster.cluster_id)
    return visit.moved("/data/clusters")


async def _cluster_of(visit: Visit) -> tuple[Visit, ClusterDetails]:
    identifier = str(visit.request.path_params["cluster_id"])
    return await visit.found("cluster", lambda inside: inside.service(ClusterService).get(inside.principal, identifier))


def _runs(visit: Visit) -> ClusterRunService:
    return visit.service(ClusterRunService)


async def _found(visit: Visit, details: ClusterDetails, run_id: str) -> dict[str, Any]:
    chosen = await _runs(visit).get(visit.principal, details.cluster.cluster_id, run_id)
    number, at = _number(visit), page_number(visit)
    largest = max((one.size for one in chosen.found), default=1)
    rows = [Row(one, colour_of(one.number), 100 * one.size / largest) for one in chosen.found[:_LISTED]]
    members = None
    if number is not None:
        query = MemberQuery(run_id, number, PAGE_SIZE, (at - 1) * PAGE_SIZE)
        members = await _runs(visit).members(visit.principal, query)
    return {
        "chosen": chosen.run,
        "rows": rows,
        "more": len(chosen.found) - len(rows),
        "dots": scatter(await _drawn(visit, chosen)),
        "box": f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        "number": number,
        "members": members,
        "at": at,
        "page_size": PAGE_SIZE,
    }


def _number(visit: Visit) -> int | None:
    """Of the cluster whose documents are listed. Raises: BadRequestError."""
    text = visit.asked("in")
    if text in ("", "none"):
        return NOISE if text else None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequestError("in: a cluster's number, or none", field="in")
    return int(text)


async def _drawn(visit: Visit, details: RunDetails) -> Sequence[Member]:
    """Of each of the largest clusters its share of the dots, the nearest to its centroid first."""
    run = details.run
    sizes = {one.number: one.size for one in details.found[:_MOST_DRAWN_CLUSTERS] if run.dimensions}
    if run.dimensions and run.points > run.clustered:
        sizes[NOISE] = run.points - run.clustered
    found: list[Member] = []
    for number, size in sizes.items():
        share = max(3, round(_DRAWN * size / max(run.points, 1)))
        page = await _runs(visit).members(visit.principal, MemberQuery(run.run_id, number, min(share, size)))
        found += page.items
    return found
