"""One model, many spellings: `BAAI/bge-reranker-v2-m3`, `BAAI__bge_reranker_v2_m3`, `bge-reranker-v2-m3`."""

from collections.abc import Iterable


def plain_name(name: str) -> str:
    """Letters and digits alone, in lower case."""
    return "".join(character for character in name.casefold() if character.isalnum())


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that is meant, with or without its organisation; None where none is, or more than one."""
    names = list(known)
    if name in names:
        return name
    wanted = plain_name(name)
    whole = [one for one in names if plain_name(one) == wanted]
    # `organisation__model` names a folder that may hold the model alone, and the other way round.
    last = [one for one in names if _last(one) == wanted or plain_name(one) == _last(name)]
    found = whole or last
    return found[0] if len(found) == 1 else None


def _last(name: str) -> str:
    return plain_name(name.replace("__", "/").rpartition("/")[2])
