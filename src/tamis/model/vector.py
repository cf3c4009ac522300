"""The three shapes of a feature's value. Arrays are never written to once they are in one of these."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]


class VectorKind(StrEnum):
    DENSE = "dense"
    SPARSE = "sparse"
    MULTI_DENSE = "multi_dense"


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """values: float32 [dim]."""

    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class MultiDense:
    """values: float32 [n, dim], one row for each token or part."""

    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """indices: uint32 [n], ascending and unique.  values: float32 [n]."""

    indices: NDArray[np.uint32]
    values: FloatArray


Vector: TypeAlias = Dense | MultiDense | Sparse


class Quantization(StrEnum):
    """What a dense feature's index compares first; the best of it are compared again in full precision.

    NONE: the vectors themselves.  INT8: a byte a dimension.  BINARY: a bit, which wants many dimensions.
    """

    NONE = "none"
    INT8 = "int8"
    BINARY = "binary"


class Space(StrEnum):
    """What a feature can be asked with, besides vectors and stored documents.

    TEXT: texts, by the text model that it names.  VISUAL: pictures, by the model that it names; texts too where that
    reads them.  ACOUSTIC: sounds.  OWN: nothing else; only its extractor can make such vectors.
    """

    TEXT = "text"
    VISUAL = "visual"
    ACOUSTIC = "acoustic"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One vector output of an extractor, as the index needs to know it.

    name: the output's name (`embedding`), also the vector's name in the index.
    dimensions: of a dense row; None for sparse.  idf: weigh sparse query terms by inverse document frequency.
    """

    name: str
    kind: VectorKind
    dimensions: int | None = None
    distance: str = "cosine"
    idf: bool = False
    inference_name: str | None = None
    aliases: tuple[str, ...] = ()
    description: str = ""
    space: Space = Space.TEXT
    quantization: Quantization = Quantization.INT8
