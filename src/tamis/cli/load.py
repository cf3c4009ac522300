"""`tamis load PATH`: files of any kind or a JSONL file become buckets, collections and documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.ingest import Ingested, ensure_bucket, ensure_collection, field_type, ingest
from tamis.cli.load_media import KINDS, MediaFile, load_media, media_file
from tamis.cli.terminal import fail, out, plain_errors
from tamis.client import Client

_TEXT_SUFFIXES = frozenset(
    (
        ".txt", ".md", ".markdown", ".rst", ".org", ".tex", ".log", ".html", ".htm", ".xml", ".csv", ".tsv", ".json",
        ".yaml", ".yml", ".toml", ".ini", ".cfg", ".py", ".js", ".ts", ".go", ".rs", ".c", ".h", ".cpp", ".java", ".rb",
        ".sh", ".sql", ".css",
    )
)  # fmt: skip
_LARGEST_BYTES = 2 * 1024 * 1024


def load(
    path: Annotated[Path, typer.Argument(exists=True, help="A folder of files, one file, or a .jsonl file.")],
    name: Annotated[str | None, typer.Option(help="Name of the bucket and the collection; else the path's.")] = None,
    text_field: Annotated[str, typer.Option(help="JSONL: the field to search by.")] = "text",
    chunking: Annotated[str, typer.Option(help="none, sentence, paragraph or fixed.")] = "none",
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Load texts, pictures, PDFs and office files, sounds and videos, or a JSONL file, and make them searchable.

    Texts go by their names; what else there is goes by what is in it, into a collection for each kind: NAME-image, ...
    """
    name = name or _name_of(path)
    is_jsonl = path.suffix in (".jsonl", ".ndjson")
    rows = list(_jsonl_rows(path, text_field) if is_jsonl else _file_rows(path))
    media = [] if is_jsonl else list(_media_files(path))
    if not rows and not media:
        fail(f"{path} holds nothing that can be loaded")
    parameters = {} if chunking == "none" else {"chunking": chunking}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        if rows:
            _tell(name, _load_rows(client, name, rows, parameters))
        for kind in KINDS:
            if files := [one for one in media if one.kind == kind]:
                _tell(f"{name}-{kind}", load_media(client, f"{name}-{kind}", kind, files))


def _load_rows(client: Client, name: str, rows: list[dict[str, Any]], parameters: dict[str, str]) -> Ingested:
    schema = _schema(rows)
    bucket_id = ensure_bucket(client, name, schema)
    passthrough = [field for field in schema if field != "text"]
    collection_id = ensure_collection(client, name, bucket_id, passthrough, parameters)
    return ingest(client, bucket_id, collection_id, rows, len(rows))


def _tell(name: str, done: Ingested) -> None:
    out.print(
        f"{done.objects} objects, {done.documents} documents in collection [bold]{name}[/], {done.failed} failed, "
        f"{done.seconds:.1f} s ({done.status})",
        highlight=False,
    )
    if done.error:
        out.print(done.error, highlight=False, markup=False)
    out.print(f'\n    tamis search "..." --collection {name}\n', highlight=False)


def _name_of(path: Path) -> str:
    stem = (path.resolve().stem if path.is_file() else path.resolve().name) or "loaded"
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in stem.lower())[:60].ljust(3, "-")


def _schema(rows: list[dict[str, Any]]) -> dict[str, str]:
    """A type for each field that occurs: the one that all its values share, else `json`."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for field, value in row.items():
            if value is not None:
                found.setdefault(field, set()).add(field_type(value))
    schema = {field: kinds.pop() if len(kinds) == 1 else _shared(kinds) for field, kinds in found.items()}
    return {**schema, "text": "text"}


def _shared(kinds: set[str]) -> str:
    return "number" if kinds == {"integer", "number"} else "json"


def _jsonl_rows(path: Path, text_field: str) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _row(line, f"{path}:{number}", text_field)


def _row(line: bytes, where: str, text_field: str) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        fail(f"{where}: not JSON: {error}")
    if not isinstance(row, dict) or not isinstance(row.get(text_field), str):
        fail(f"{where}: expected an object with the text field {text_field!r} (choose with --text-field)")
    text = row.pop(text_field)
    return {**{_field(name): value for name, value in row.items() if value is not None}, "text": text}


def _field(name: str) -> str:
    return f"source_{name}" if name in ("blobs", "object_id", "bucket_id", "status", "metadata", "text") else name


def _media_files(path: Path) -> Iterator[MediaFile]:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if _visible(file, path))
    for file in files:
        if file.suffix.lower() not in _TEXT_SUFFIXES and file.stat().st_size:
            found = media_file(file, file.name if path.is_file() else file.relative_to(path).as_posix())
            if found is not None:
                yield found


def _file_rows(path: Path) -> Iterator[dict[str, Any]]:
    """A file that is named by itself is a text unless something else is in it, whatever it is called."""
    if path.is_file():
        files = [] if any(_media_files(path)) else [path]
    else:
        files = sorted(file for file in path.rglob("*") if _visible(file, path) and _is_text(file))
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        if text.strip():
            relative = file.name if path.is_file() else file.relative_to(path).as_posix()
            size_bytes = file.stat().st_size
            yield {"path": relative, "suffix": file.suffix, "size_bytes": size_bytes, "text": text}


def _visible(file: Path, root: Path) -> bool:
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(root).parts)


def _is_text(file: Path) -> bool:
    return file.suffix.lower() in _TEXT_SUFFIXES and file.stat().st_size < _LARGEST_BYTES
