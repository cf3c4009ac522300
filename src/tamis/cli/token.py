"""`tamis token`: client tokens, signed here with the API key alone. No server is asked."""

import re
from typing import Annotated, Any

import orjson
import typer

from tamis.cli.connection import Key, NamespaceOption
from tamis.cli.terminal import fail, plain_errors
from tamis.model.client_token import Claims, sign

app = typer.Typer(help="Sign client tokens: what a key's holder lets somebody else see.", no_args_is_help=True)
_LIFETIME = re.compile(r"(\d{1,9})([smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@app.command("sign")
def sign_token(
    filter: Annotated[
        str | None, typer.Option("--filter", "-f", help="JSON: what every search is AND-ed with.")
    ] = None,
    retriever: Annotated[
        list[str] | None, typer.Option("--retriever", "-r", help="Ids of the only retrievers to be run.")
    ] = None,
    pipelines: Annotated[bool, typer.Option("--pipelines", help="Let pipelines be sent whole, too.")] = False,
    visitor: Annotated[str | None, typer.Option("--visitor", help="Whose spending and requests are counted.")] = None,
    credits_per_day: Annotated[float | None, typer.Option("--credits-per-day", help="The visitor's budget.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option("--requests-per-minute")] = None,
    expires: Annotated[str, typer.Option("--expires", help="From now: 90s, 15m, 12h, 1d.")] = "1h",
    key: Key = None,
    namespace: NamespaceOption = None,
) -> None:
    """Print a token that reads no more than the filter lets through. Keep the key; give the token away."""
    if not key:
        fail("no API key: set TAMIS_API_KEY, or give --key")
    claims = Claims(
        filter=_parsed(filter),
        namespace=namespace,
        retrievers=tuple(retriever) if retriever else None,
        pipelines=pipelines,
        sub=visitor,
        credits_per_day=credits_per_day,
        requests_per_minute=requests_per_minute,
    )
    with plain_errors():
        typer.echo(sign(key, claims, _seconds(expires)))


def _parsed(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        fail(f"--filter is no JSON: {error}")
    if not isinstance(value, dict):
        fail('--filter is an object, such as \'{"field": "tenant", "operator": "eq", "value": "a"}\'')
    return value


def _seconds(text: str) -> int:
    found = _LIFETIME.fullmatch(text)
    if found is None:
        fail("--expires is a number and s, m, h or d, such as 15m")
    return int(found[1]) * _UNITS_S[found[2]]
