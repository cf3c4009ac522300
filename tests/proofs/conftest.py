from tests.servers import postgres, qdrant_url, ray_server, redis_server

__all__ = ["postgres", "qdrant_url", "ray_server", "redis_server"]
