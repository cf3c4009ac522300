"""Feature URIs against collections: which vector of which collection a search means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.feature_uri import FeatureUri
from tamis.model.vector import FeatureSpec, Space, VectorKind

_SUFFIX = "_extractor"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature in those of the collections that have it.

    name: the feature's URI with its output spelt out; `#lexical` is added where the search is lexical.
    """

    name: str
    targets: tuple[tuple[Collection, FeatureSpec], ...]


def resolve_feature(
    uri: str, collections: Sequence[Collection], lexical: bool = False, loc: list[str | int] | None = None
) -> Feature:
    """Find the feature; a collection without it is left out.

    An output may be named by an alias; an omitted one is the collection's `primary_feature`. With `lexical`, the
    URI names the text whose sparse feature is meant.
    Raises: ValidationError at `loc` where no collection has it.
    """
    here = loc or ["feature_uri"]
    wanted = FeatureUri.parse(uri, here)
    found = [(collection, *match) for collection in collections if (match := _find(wanted, collection, lexical))]
    if not found:
        raise ValidationError.at(here, _unknown(uri, collections, lexical))
    name = _canonical(found[0][0], found[0][2])
    targets = tuple((collection, spec) for collection, spec, _ in found)
    return Feature(f"{name}#lexical" if lexical else name, targets)


def feature_uris(collection: Collection) -> list[str]:
    """Every feature of a collection, by its canonical URI."""
    return [_canonical(collection, spec.name) for spec in collection.features]


def primary_feature(features: Sequence[FeatureSpec]) -> FeatureSpec | None:
    """What a search means that names no output: the only dense feature, of several the only one of texts."""
    dense = [spec for spec in features if spec.kind is VectorKind.DENSE]
    return _only(dense) or _only(spec for spec in dense if spec.space is Space.TEXT)


def is_output(name: str, collections: Sequence[Collection]) -> bool:
    """Whether one of them has an output of this name or alias."""
    return any(name == spec.name or name in spec.aliases for one in collections for spec in one.features)


def _find(wanted: FeatureUri, collection: Collection, lexical: bool) -> tuple[FeatureSpec, str | None] | None:
    """The vector to search, and the output that the URI names."""
    extractor = collection.extractor
    same = wanted.extractor.removesuffix(_SUFFIX) == extractor.name.removesuffix(_SUFFIX)
    if not same or wanted.version != extractor.version:
        return None
    named = _named(wanted.output, collection.features)
    if lexical:
        sparse = _only(spec for spec in collection.features if spec.kind is VectorKind.SPARSE)
        known = wanted.output is None or named is not None
        return (sparse, named.name if named else None) if sparse and known else None
    return (named, named.name) if named else None


def _named(output: str | None, features: Sequence[FeatureSpec]) -> FeatureSpec | None:
    if output is None:
        return primary_feature(features)
    by_name = [spec for spec in features if spec.name == output]
    return _only(by_name or (spec for spec in features if output in spec.aliases))


def _only(specs: Iterable[FeatureSpec]) -> FeatureSpec | None:
    found = list(specs)
    return found[0] if len(found) == 1 else None


def _canonical(collection: Collection, output: str | None) -> str:
    return str(FeatureUri(collection.extractor.name, collection.extractor.version, output))


def _unknown(uri: str, collections: Sequence[Collection], lexical: bool) -> str:
    if not collections:
        return f"there is no collection to look for {uri!r} in; name some in collection_identifiers"
    known = sorted({known for collection in collections for known in feature_uris(collection)})
    kind = "lexical feature behind" if lexical else "feature"
    listed = ", ".join(known) or "none at all"
    return f"no collection given has the {kind} {uri!r}; the features there are: {listed}"
