"""Which collections a batch feeds, and in which order: the graph of collections cut into tiers. Pure."""

from collections.abc import Iterable, Sequence

from tamis.errors import ConflictError
from tamis.model.batch import Tier
from tamis.model.collection import Collection
from tamis.model.ids import new_id


def fed_by(collections: Iterable[Collection], collection_id: str) -> list[Collection]:
    """The collections whose source is this collection."""
    return [collection for collection in collections if collection_id in collection.source.collection_ids]


def tiers_from_bucket(collections: Sequence[Collection], bucket_id: str) -> tuple[Tier, ...]:
    """Tier 0 is fed by the bucket, tier n by collections of the tiers before. Raises: ConflictError."""
    first = [each for each in collections if each.enabled and bucket_id in each.source.bucket_ids]
    if not first:
        raise ConflictError(
            "no enabled collection takes objects from this bucket; create one whose source it is", bucket_id=bucket_id
        )
    return tiers_from(collections, first)


def tiers_from(collections: Sequence[Collection], first: Sequence[Collection]) -> tuple[Tier, ...]:
    """As above, from these collections on. Raises: ConflictError where collections feed each other in a circle."""
    enabled = [each for each in collections if each.enabled]
    depth = {each.collection_id: 0 for each in first}
    layer = list(first)
    for number in range(1, len(enabled) + 2):
        below = {each.collection_id: each for above in layer for each in fed_by(enabled, above.collection_id)}
        if not below:
            break
        depth.update(dict.fromkeys(below, number))
        layer = list(below.values())
    else:
        raise ConflictError("these collections feed each other in a circle", collections=[each.name for each in layer])
    by_id = {each.collection_id: each for each in (*enabled, *first)}
    return tuple(
        _tier(number, [by_id[key] for key, at in depth.items() if at == number], depth)
        for number in range(max(depth.values()) + 1)
    )


def _tier(number: int, members: Sequence[Collection], depth: dict[str, int]) -> Tier:
    above = dict.fromkeys(
        source_id for each in members for source_id in each.source.collection_ids if number == 0 or source_id in depth
    )
    return Tier(
        number=number,
        collection_ids=tuple(sorted(each.collection_id for each in members)),
        source_type=members[0].source.type,
        source_collection_ids=tuple(above),
        task_id=new_id("task"),
    )
