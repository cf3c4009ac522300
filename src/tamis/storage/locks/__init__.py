"""Who works at what now, in any server."""
