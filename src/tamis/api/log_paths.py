"""A path as log lines may have it: a link to a file is its permission, so what it carries stays out."""

from tamis.services.data.blob_links import PATH as BLOBS
from tamis.services.data.upload_links import PATH as UPLOADS

_LINKS = (BLOBS, UPLOADS)


def logged(path: str) -> str:
    for prefix in _LINKS:
        if path.startswith(prefix):
            return f"{prefix}..."
    return path
