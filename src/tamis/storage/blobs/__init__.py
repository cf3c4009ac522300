from tamis.storage.blobs.store import ObstoreBlobs, open_blobs

__all__ = ["ObstoreBlobs", "open_blobs"]
