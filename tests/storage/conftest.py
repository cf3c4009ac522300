from tests.servers import postgres, postgres_url, qdrant_url, redis_server

__all__ = ["postgres", "postgres_url", "qdrant_url", "redis_server"]
