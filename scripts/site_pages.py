"""The documentation as one tree of pages: what the site is built from, and what a test holds the links to.

README.md is the first page, docs/*.md are guides and reference, ARCHITECTURE.md, SECURITY.md and CHANGELOG.md stand
beside, docs/decisions is a section of its own. Links between pages lead to pages; a link to any other file of the
repository becomes its path, for the site does not bring it.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
_SECTIONS = Path(__file__).with_name("site.toml")
_BESIDE = ("ARCHITECTURE", "SECURITY", "CHANGELOG")
_LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)\)")
_PICTURE = re.compile(r"!\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+?)\s*$")


@dataclass(frozen=True, slots=True)
class Section:
    """pages: file names below docs/, without `.md`."""

    title: str
    pages: tuple[str, ...]


def sections() -> list[Section]:
    given = tomllib.loads(_SECTIONS.read_text())
    return [Section(one["title"], tuple(one["pages"])) for one in given["section"]]


def sources(root: Path = ROOT) -> dict[str, Path]:
    """By page, such as `docs/python` or `index`, the file that it is made of."""
    pages = {"index": root / "README.md"}
    pages.update({name: root / f"{name}.md" for name in _BESIDE})
    for folder in ("docs", "docs/decisions"):
        pages.update({f"{folder}/{path.stem}": path for path in sorted((root / folder).glob("*.md"))})
    return pages


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.replace("`", "")).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(text: str) -> set[str]:
    return {slug(match["text"]) for line in _prose(text) if (match := _HEADING.match(line))}


def links(text: str) -> Iterator[str]:
    """The targets of its links and pictures; not what stands in code."""
    for line in _prose(text):
        bare = re.sub(r"`[^`]*`", "", line)
        for match in (*_LINK.finditer(bare), *_PICTURE.finditer(bare)):
            yield match["target"]


def broken(root: Path = ROOT) -> list[str]:
    """Links that lead nowhere, as `page: target`."""
    pages = sources(root)
    known = {path.resolve(): anchors(path.read_text()) for path in pages.values()}
    return [
        f"{page}: {target}"
        for page, path in pages.items()
        for target in links(path.read_text())
        if not _is_elsewhere(target) and not _leads(path, target, known)
    ]


def adapted(page: str, root: Path = ROOT) -> str:
    """A page's text with its links as the site has them."""
    pages = sources(root)
    by_path = {path.resolve(): name for name, path in pages.items()}
    path = pages[page]

    def link(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if _is_elsewhere(match["target"]) or not target:
            return match[0]
        found = (path.parent / target).resolve()
        if found not in by_path:
            return f"{match['text']} (`{found.relative_to(root.resolve())}`)"
        way = PurePosixPath(_up(page) + by_path[found] + ".md")
        return f"[{match['text']}]({way}{'#' + anchor if anchor else ''})"

    lines, is_code = [], False
    for line in path.read_text().splitlines():
        is_code ^= bool(_FENCE.match(line.strip()))
        lines.append(line if is_code else _LINK.sub(link, line))
    return "\n".join(lines) + "\n"


def _up(page: str) -> str:
    return "../" * page.count("/")


def _is_elsewhere(target: str) -> bool:
    return re.match(r"[a-z]+:", target) is not None


def _leads(path: Path, target: str, known: dict[Path, set[str]]) -> bool:
    name, _, anchor = target.partition("#")
    found = (path.parent / name).resolve() if name else path.resolve()
    if not found.exists():
        return False
    return not anchor or found not in known or anchor in known[found]


def _prose(text: str) -> Iterator[str]:
    is_code = False
    for line in text.splitlines():
        if _FENCE.match(line.strip()):
            is_code = not is_code
        elif not is_code:
            yield line
