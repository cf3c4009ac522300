"""One collection's shard as the index process owns it: writes, searches, counts. Blocks; one thread."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from tamis.storage.index import native
from tamis.storage.index.compile import Clause, late_matches, point_uuid, wide_matches, wide_range
from tamis.storage.index.files import FORMAT, ShardFiles, places, read_built, read_config
from tamis.storage.index.payload import PRESENT, indexed_keys, key_of, payload, term
from tamis.storage.index.ranking import ranked, ranked_facets, whole_facets, widened

INDEXED_FIELDS_LIMIT = 256
INDEX_NEW_BELOW_POINTS = 500
INDEX_LATE_BELOW_POINTS = 5_000
"""A field that appears in a small shard is indexed between calls, unless the shard has grown large by then; else the
next build does it. One takes 10 to 60 ms however few points there are: no document waits for those of its fields."""

EXACT_UP_TO_BYTES = 24_000_000
"""Vectors that a filter leaves are compared in full up to here where the engine would take the graph for them: 2.5 ms
for 15,000 x 384. Generations of today scan further by themselves, quantised and rescored, in a quarter of the time."""

_NAMES_LIMIT = 200_000
_SCAN_POINTS = 1000
_SAMPLED = 100


class Generation:
    """An open shard of the engine and the writes that it understands."""

    # The engine's stubs are wider than what it answers for points whose ids are all UUIDs.
    engine: Any

    def __init__(self, path: Path, engine: edge.EdgeShard) -> None:
        self.path = path
        self.engine = engine
        self.keys = set(engine.info().payload_schema)
        self.built = read_built(path)
        self.ways = native.ways(read_config(path), self.built)
        self._written_before = max(0, self.points - self.built)
        self._written: set[uuid.UUID] = set()
        self.touched = max(self.points, places(path))
        """Points that were ever put or changed here: what is more than there are points is dead."""
        self._deleted = self.touched - self.points
        self._unindexed_keys: dict[str, None] = {}

    @classmethod
    def create(cls, path: Path, config: edge.EdgeConfig) -> "Generation":
        """Without an index of any field."""
        path.mkdir(parents=True, exist_ok=True)
        return cls(path, edge.EdgeShard.create(str(path), config))

    @classmethod
    def load(cls, path: Path) -> "Generation":
        return cls(path, edge.EdgeShard.load(str(path)))

    @property
    def points(self) -> int:
        return int(self.engine.info().points_count)

    @property
    def unindexed(self) -> int:
        """Points that the graph does not cover; exact but for what was overwritten before this process started."""
        return self._written_before + len(self._written)

    @property
    def changes(self) -> int:
        """What a build would put in order: points outside the graph, and holes in it where there is one."""
        return self.unindexed + (self._deleted if self.built else 0)

    def index_fields(self, keys: Sequence[str]) -> None:
        for key in keys:
            if key not in self.keys and len(self.keys) < INDEXED_FIELDS_LIMIT:
                self.engine.update(edge.UpdateOperation.create_field_index(key, native.field_index(key)))
                self.keys.add(key)

    @property
    def wants_an_index(self) -> bool:
        return bool(self._unindexed_keys)

    def index_one_field(self) -> None:
        """Answers are the same with and without; they come faster with it."""
        key = next(iter(self._unindexed_keys))
        del self._unindexed_keys[key]
        if self.points < INDEX_LATE_BELOW_POINTS:
            self.index_fields([key])
        else:
            self._unindexed_keys.clear()

    def upsert(self, points: Mapping[uuid.UUID, tuple[Mapping[str, Any], dict[str, Any]]]) -> None:
        missing = {key for _, kept in points.values() for key in indexed_keys(kept)} - self.keys
        if missing and self.points < INDEX_NEW_BELOW_POINTS and len(self.keys) < INDEXED_FIELDS_LIMIT:
            self._unindexed_keys.update(dict.fromkeys(sorted(missing)))
        made = [native.point(identifier, vectors, kept) for identifier, (vectors, kept) in points.items()]
        self.put(made)

    def put(self, points: list[Any]) -> None:
        """points: the engine's own, with UUIDs as ids."""
        self.engine.update(edge.UpdateOperation.upsert_points(points))
        self._written.update(point.id for point in points)
        self.touched += len(points)

    def set_payloads(self, payloads: Mapping[uuid.UUID, dict[str, Any]]) -> None:
        found = self.engine.retrieve(list(payloads), with_payload=False, with_vector=False)
        for record in found:
            self.engine.update(edge.UpdateOperation.overwrite_payload([record.id], payloads[record.id]))
        self._written.update(record.id for record in found)
        self.touched += len(found)

    def delete(self, identifiers: Sequence[uuid.UUID]) -> None:
        self.engine.update(edge.UpdateOperation.delete_points(list(identifiers)))
        self._written.difference_update(identifiers)
        self._deleted += len(identifiers)

    def apply(self, operation: str, argument: Any) -> None:
        """One write as it came over the wire; doing it again changes nothing."""
        if operation == "upsert":
            named = {point_uuid(one): (vectors, payload(one, fields)) for one, vectors, fields in argument}
            self.upsert(named)
        elif operation == "set_fields":
            self.set_payloads({point_uuid(one): payload(one, fields) for one, fields in argument})
        else:
            self.delete([point_uuid(one) for one in argument])


class Shard:
    """The generation in use, and what is asked of it."""

    def __init__(
        self,
        files: ShardFiles,
        features: Sequence[Mapping[str, Any]],
        lost: bool = False,
        generation: Generation | None = None,
    ) -> None:
        self.files = files
        self.features = features
        self.lost = lost
        self._names: dict[int, str] = {}
        self.generation = generation or self._open()

    @classmethod
    def create(cls, files: ShardFiles, features: Sequence[Mapping[str, Any]]) -> "Shard":
        """CURRENT is written last: before it there is no shard."""
        files.root.mkdir(parents=True, exist_ok=True)
        files.clean()
        _fresh(files, features)
        return cls(files, features)

    @classmethod
    def open(cls, files: ShardFiles) -> "Shard":
        meta = files.meta()
        if meta.get("format") != FORMAT:
            meta["lost"] = True
            _fresh(files, meta["features"], lost=True)
        files.clean()
        return cls(files, meta["features"], bool(meta.get("lost")))

    @classmethod
    def adopt(cls, files: ShardFiles, generation: Generation) -> "Shard":
        """With a generation that is open already and that CURRENT names."""
        meta = files.meta()
        return cls(files, meta["features"], bool(meta.get("lost")), generation)

    def _open(self) -> Generation:
        try:
            return Generation.load(self.files.current())
        except Exception:
            # Derived data: an empty shard that says it lost its points beats one that never opens. Where even an
            # empty one cannot be made (no space, no descriptors), the damage may not be real: nothing is touched.
            self.lost = True
            _fresh(self.files, self.features, lost=True)
            self.files.clean()
            return Generation.load(self.files.current())

    def replace(self, generation: Generation, draft: Path) -> None:
        """By one that holds the same points. draft: of CURRENT. The old one stays open: the caller closes it."""
        draft.replace(self.files.root / "CURRENT")
        self.generation = generation
        self._names.clear()

    def close(self) -> None:
        self.generation.engine.close()

    def search(self, search: Mapping[str, Any]) -> list[tuple[str, float]]:
        """Score down, id up; a tie at the cut is followed, so that the cut falls by id and not by chance."""
        limit, fetch = search["limit"], search["limit"] + 8
        query = edge.Query.Nearest(native.vector(search["vector"]), using=search["feature"])
        only = self._filter(search["filter"])
        params = self._params(search, only)
        while True:
            request = edge.QueryRequest(limit=fetch, query=query, filter=only, params=params)
            found = self.generation.engine.query(request)
            wider = widened(limit, [hit.score for hit in found], fetch)
            if wider is None:
                break
            fetch = wider
        last = found[limit - 1].score if len(found) >= limit else None
        scored = [(hit.id, hit.score) for hit in found if last is None or hit.score >= last]
        return ranked(self._named(scored), limit, search["min_score"])

    def _params(self, search: Mapping[str, Any], only: edge.Filter | None) -> edge.SearchParams:
        """What a filter leaves is scanned where that is little: the graph loses what it has to find among others."""
        if search["exact"]:
            return native.EXACT
        ways = self.generation.ways.get(search["feature"])
        if ways is None or search["vector"][0] != "d":
            return native.PLAIN
        if only is None:
            return ways.free
        left = self.generation.engine.count(edge.CountRequest(exact=False, filter=only)) * len(search["vector"][1])
        return native.EXACT if ways.scanned_bytes < left <= EXACT_UP_TO_BYTES else ways.filtered

    def _named(self, found: Sequence[tuple[uuid.UUID, float]]) -> list[tuple[str, float]]:
        """Reading a payload costs more than finding the point: document ids are remembered, by their UUIDs' numbers."""
        unknown = [identifier for identifier, _ in found if identifier.int not in self._names]
        if unknown:
            if len(self._names) + len(unknown) > _NAMES_LIMIT:
                self._names.clear()
                unknown = [identifier for identifier, _ in found]
            for record in self.generation.engine.retrieve(unknown, with_payload=["d"], with_vector=False):
                self._names[record.id.int] = record.payload["d"]
        names = self._names
        return [(names[one.int], score) for one, score in found if one.int in names]

    def count(self, clause: Clause | None) -> int:
        return int(self.generation.engine.count(edge.CountRequest(exact=True, filter=self._filter(clause))))

    def select(self, clause: Clause | None, limit: int) -> list[str] | None:
        """Document ids, in any order; None where more than `limit` match."""
        records = islice(self._scan(self._filter(clause), ["d"]), limit + 1)
        found = [record.payload["d"] for record in records]
        return found if len(found) <= limit else None

    def ranged(self, paths: Sequence[str]) -> list[str]:
        """Those whose numbers or dates have an index of their own."""
        keys = self.generation.keys
        return [path for path in paths if not keys.isdisjoint(_ranges(path))]

    def index_ranges(self, path: str) -> bool:
        """Of numbers, of dates, or of both, as the first documents have them. Blocks: 10 ms and more."""
        only = native.filter_of({"key": "t", "match": {"text": term(path, PRESENT)}})
        names = _ranges(path)
        found = [record.payload for record in islice(self._scan(only, list(names)), _SAMPLED)]
        wanted = [name for name in names if any(name in kept for kept in found)]
        self.generation.index_fields(wanted)
        return bool(wanted) and self.generation.keys.issuperset(wanted)

    def facet(self, key: str, limit: int, clause: Clause | None, exact: bool) -> list[tuple[Any, int]]:
        if limit < 1:
            return []
        only = self._filter(clause)
        if f"f-{key}" not in self.generation.keys:
            return self._counted_by_hand(key, limit, only)

        def fetch(asked: int) -> list[tuple[str, int]]:
            request = edge.FacetRequest(f"f-{key}", asked, exact, only)
            return [(hit.value, hit.count) for hit in self.generation.engine.facet(request).hits]

        return whole_facets(fetch, limit)

    def _counted_by_hand(self, key: str, limit: int, only: edge.Filter | None) -> list[tuple[Any, int]]:
        counts: dict[str, int] = {}
        for record in self._scan(only, [f"f-{key}"]):
            values = record.payload.get(f"f-{key}", ())
            for value in [values] if isinstance(values, str) else values:
                counts[value] = counts.get(value, 0) + 1
        return ranked_facets(list(counts.items()), limit)

    def _scan(self, only: edge.Filter | None, keys: list[str]) -> Iterator[Any]:
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=_SCAN_POINTS, filter=only, with_payload=keys, with_vector=False
            )
            records, offset = self.generation.engine.scroll(request)
            yield from records
            if offset is None:
                return

    def _filter(self, clause: Clause | None) -> edge.Filter | None:
        return native.filter_of(self._resolved(clause)) if clause is not None else None

    def _resolved(self, clause: Clause) -> Clause:
        """The clause with its `late` and `wide` parts replaced by what they stand for."""
        if "late" in clause:
            return {"has_id": self._late(clause["late"])}
        if "wide" in clause:
            return self._wide(clause["wide"])
        return {
            name: [self._resolved(child) for child in part] if name in ("must", "should", "must_not") else part
            for name, part in clause.items()
        }

    def _late(self, late: Mapping[str, Any]) -> list[str]:
        only = native.filter_of({"key": "t", "match": {"text": late["term"]}})
        if not self.generation.engine.count(edge.CountRequest(exact=True, filter=only)):
            return []
        keys = [f"f-{late['key']}", f"l-{late['key']}"]
        return [str(record.id) for record in self._scan(only, keys) if late_matches(late, record.payload)]

    def _wide(self, wide: Mapping[str, Any]) -> Clause:
        if not self.generation.engine.count(edge.CountRequest(exact=True, filter=native.filter_of(wide["holders"]))):
            return dict(wide["plain"])
        near = self._scan(native.filter_of(wide["near"]), [f"f-{wide['key']}"])
        return wide_range(wide, [str(record.id) for record in near if wide_matches(wide, record.payload)])


def _ranges(path: str) -> tuple[str, str]:
    return f"n-{key_of(path)}", f"i-{key_of(path)}"


def _fresh(files: ShardFiles, features: Sequence[Mapping[str, Any]], lost: bool = False) -> None:
    generation = Generation.create(files.new("gen"), native.shard_config(features))
    generation.index_fields(["t"])
    generation.engine.flush()
    generation.engine.close()
    files.write_meta(features, lost)
    files.set_current(generation.path)
