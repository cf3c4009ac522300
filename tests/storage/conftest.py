from tests.servers import postgres_url, s3

__all__ = ["postgres_url", "s3"]
