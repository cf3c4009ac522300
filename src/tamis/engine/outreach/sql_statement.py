"""What a query is made of, as far as it must be known: where its parameters stand, and what it must not name.

This is no parser. The databases' own checks decide (SQLite's authorizer, PostgreSQL's cursor in a read-only
transaction); here is refused what those would let a reading role do.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tamis.errors import OutsideRefusedError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | --[^\n]* )
  | (?P<comment>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*')
  | (?P<unicode>[uU]&['"])
  | (?P<text>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*" | `(?:[^`]|``)*`)
  | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?(tag)(?P=tag))\$)
  | (?P<cast>::)
  | (?P<parameter>:[A-Za-z_]\w*)
  | (?P<name>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_UNFINISHED = frozenset("'\"`")
_FOREIGN = frozenset("?@$")
_FIRST = ("select", "with", "values")
_ENDS = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        """In lower case, without quotes."""
        return self.text.strip('"`').lower() if self.kind in ("name", "quoted") else ""

    def with_text(self, text: str) -> "Token":
        return Token(self.kind, text)


def tokens(query: str) -> Iterator[Token]:
    """Raises: OutsideRefusedError."""
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            raise OutsideRefusedError("the query cannot be read")
        kind = "dollar" if kind == "tag" else kind
        end = _comment_end(query, match.end()) if kind == "comment" else match.end()
        yield Token(kind, query[position:end])
        position = end


def _comment_end(query: str, position: int) -> int:
    depth = 1
    for found in _ENDS.finditer(query, position):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    raise OutsideRefusedError("a comment of the query has no end")


@dataclass(frozen=True, slots=True)
class Statement:
    """One reading statement. parameters: the names that stand in it, in the order of their first mention."""

    tokens: tuple[Token, ...]
    parameters: tuple[str, ...]

    def words(self) -> Iterator[str]:
        return (token.word for token in self.tokens if token.word)

    def written(self, place: Callable[[str], str]) -> str:
        """The query with `place(name)` where each parameter stands."""
        return "".join(place(one.text[1:]) if one.kind == "parameter" else one.text for one in self.tokens)


def read(query: str) -> Statement:
    """Raises: OutsideRefusedError: it is no single reading statement, or has parameters in another spelling."""
    found = [one for one in tokens(query)]
    spoken = [one for one in found if one.kind not in ("space", "comment")]
    while spoken and spoken[-1].text == ";":
        found.remove(spoken.pop())
    if not spoken or spoken[0].word not in _FIRST:
        raise OutsideRefusedError("a lookup is one SELECT")
    depth = 0
    for one in spoken:
        _check(one)
        depth += {"(": 1, ")": -1}.get(one.text, 0)
        if depth < 0:
            break
    if depth:
        raise OutsideRefusedError("the parentheses of the query do not match")
    names = dict.fromkeys(one.text[1:] for one in spoken if one.kind == "parameter")
    return Statement(tuple(found), tuple(names))


def _check(token: Token) -> None:
    if token.text == ";":
        raise OutsideRefusedError("a lookup is one statement")
    if token.kind == "unicode" or "\0" in token.text:
        raise OutsideRefusedError("names and texts are written without U& escapes")
    if token.kind == "other" and token.text in _UNFINISHED:
        raise OutsideRefusedError("a quote of the query has no end")
    if token.kind == "other" and token.text in _FOREIGN and token.text != "@":
        raise OutsideRefusedError(f"parameters are written as :name; {token.text!r} is not taken")
