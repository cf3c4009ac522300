"""Which paths the contract knows: those that no route answers are answered 501, not 404."""

import re
from functools import cache
from importlib.resources import files


@cache
def _operations() -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    """`contract_paths.txt`: a path template and its methods on each line."""
    operations = []
    for line in files("tamis.api").joinpath("contract_paths.txt").read_text().splitlines():
        path, *methods = line.split()
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        operations.append((re.compile(f"^{pattern.rstrip('/')}/?$"), frozenset(methods)))
    return tuple(operations)


def is_unbuilt(method: str, path: str) -> bool:
    """True where the contract has this operation; asked only once no route has taken the request."""
    return any(method in methods and pattern.match(path) for pattern, methods in _operations())


_SHOP = re.compile(r"^/v1/(notifications/|organizations/billing/(?!spending-caps|usage/))")


def reason(method: str, path: str) -> str:
    """Why an operation that `is_unbuilt` is not there."""
    if _SHOP.match(path):
        return f"{method} {path} is not in Tamis and will not be: a self-hosted engine has no shop and sends no mail"
    return f"{method} {path} is not built in this version of Tamis"
