from tests.servers import postgres_url, redis_server, s3

__all__ = ["postgres_url", "redis_server", "s3"]
