from tests.servers import postgres_url

__all__ = ["postgres_url"]
