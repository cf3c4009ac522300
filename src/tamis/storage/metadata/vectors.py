"""A document's vectors as bytes: compact, versioned, exact to the bit.

Layout, little-endian: `TV`, u8 version 1, u8 features; then for each feature u8 kind, u8 length of the name, u16 zero,
u32 rows, u32 columns, the name in UTF-8 padded to four bytes, and its arrays. Dense is float32 [columns]; multi-dense
float32 [rows, columns]; sparse uint32 [columns], then float32 [columns].
"""

import struct
from collections.abc import Mapping

import numpy as np

from tamis.errors import StorageError
from tamis.model.vector import Dense, MultiDense, Sparse, Vector

VERSION = 1
_MAGIC = b"TV"
_HEADER = struct.Struct("<2sBB")
EMPTY_SIZE_BYTES = _HEADER.size
"""What no vectors at all come to."""
_FEATURE = struct.Struct("<BBHII")
_DENSE, _MULTI_DENSE, _SPARSE = 1, 2, 3
_FLOAT, _UINT = np.dtype("<f4"), np.dtype("<u4")


def encode_vectors(vectors: Mapping[str, Vector]) -> bytes:
    """Raises: StorageError for more than 255 features or a name over 255 bytes."""
    if len(vectors) > 255:
        raise StorageError("a document has at most 255 features")
    parts = [_HEADER.pack(_MAGIC, VERSION, len(vectors))]
    for name, vector in vectors.items():
        encoded = name.encode()
        if len(encoded) > 255:
            raise StorageError(f"the feature's name {name[:40]!r}... is longer than 255 bytes")
        kind, rows, columns, payload = _encode(vector)
        padding = b"\0" * (-len(encoded) % 4)
        parts += [_FEATURE.pack(kind, len(encoded), 0, rows, columns), encoded, padding, payload]
    return b"".join(parts)


def decode_vectors(data: bytes) -> dict[str, Vector]:
    """The arrays are read-only views of `data`. Raises: StorageError for another version or a truncated value."""
    try:
        magic, version, count = _HEADER.unpack_from(data)
        if magic != _MAGIC or version != VERSION:
            raise StorageError(f"vectors of format {magic!r} {version} cannot be read by this version of Tamis")
        vectors: dict[str, Vector] = {}
        offset = _HEADER.size
        for _ in range(count):
            kind, length, _, rows, columns = _FEATURE.unpack_from(data, offset)
            offset += _FEATURE.size
            name = data[offset : offset + length].decode()
            offset += length + -length % 4
            vectors[name], size_bytes = _decode(data, offset, kind, rows, columns)
            offset += size_bytes
    except (struct.error, ValueError) as error:
        raise StorageError(f"stored vectors are damaged: {error}") from error
    return vectors


def _encode(vector: Vector) -> tuple[int, int, int, bytes]:
    values = np.ascontiguousarray(vector.values, dtype=_FLOAT)
    if isinstance(vector, Sparse):
        indices = np.ascontiguousarray(vector.indices, dtype=_UINT)
        return _SPARSE, 1, len(values), indices.tobytes() + values.tobytes()
    if isinstance(vector, MultiDense):
        return _MULTI_DENSE, values.shape[0], values.shape[1], values.tobytes()
    return _DENSE, 1, len(values), values.tobytes()


def _decode(data: bytes, offset: int, kind: int, rows: int, columns: int) -> tuple[Vector, int]:
    if kind == _DENSE:
        return Dense(np.frombuffer(data, _FLOAT, columns, offset)), 4 * columns
    if kind == _MULTI_DENSE:
        values = np.frombuffer(data, _FLOAT, rows * columns, offset)
        return MultiDense(values.reshape(rows, columns)), 4 * rows * columns
    if kind == _SPARSE:
        indices = np.frombuffer(data, _UINT, columns, offset)
        return Sparse(indices, np.frombuffer(data, _FLOAT, columns, offset + 4 * columns)), 8 * columns
    raise StorageError(f"vectors of kind {kind} cannot be read by this version of Tamis")
