from tests.servers import postgres, postgres_url, qdrant_url, redis_server, s3

__all__ = ["postgres", "postgres_url", "qdrant_url", "redis_server", "s3"]
