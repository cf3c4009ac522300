from tests.servers import postgres, qdrant_url, redis_server

__all__ = ["postgres", "qdrant_url", "redis_server"]
