"""The documentation as a site in dist/site: `make site`. Sphinx, MyST and Furo; it asks nobody else for anything.

Any warning, a link that leads nowhere above all, fails it. The API's reference is the served `/docs` page over the
committed OpenAPI.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.site_pages import ROOT, adapted, sections, sources

TARGET = ROOT / "dist" / "site"
_ASSETS = ROOT / "src" / "tamis" / "api" / "assets"
_CONF = """
project = "Tamis"
author = "The Tamis authors"
copyright = author
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Tamis"
html_extra_path = ["extra"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
suppress_warnings = ["misc.highlighting_failure"]
"""
_API_PAGE = """# The API

Every operation with its parameters and schemas, as the served OpenAPI describes them:
<a href="openapi/index.html">all operations</a>.
"""
_API = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tamis: API</title>
<link rel="stylesheet" href="swagger-ui.css"></head>
<body><div id="api"></div><script src="swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#api", supportedSubmitMethods: []})</script></body></html>
"""


def write_source(folder: Path) -> None:
    """What Sphinx reads."""
    (folder / "conf.py").write_text(_CONF)
    for page, path in sources().items():
        target = folder / f"{page}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(adapted(page))
        for picture in path.parent.glob("*.png"):
            shutil.copy(picture, target.parent)
    index = folder / "index.md"
    index.write_text(index.read_text() + "\n".join(_menus()))
    (folder / "docs" / "decisions" / "index.md").write_text(_decisions())
    (folder / "api.md").write_text(_API_PAGE)
    extra = folder / "extra" / "openapi"
    extra.mkdir(parents=True)
    (extra / "index.html").write_text(_API)
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        shutil.copy(_ASSETS / name, extra)
    shutil.copy(ROOT / "docs" / "openapi.json", extra)


def _menus() -> list[str]:
    menus = [_menu(one.title, [f"docs/{page}" for page in one.pages]) for one in sections()]
    return [*menus, _menu("Inside", ["api", "ARCHITECTURE", "SECURITY", "docs/decisions/index", "CHANGELOG"])]


def _menu(title: str, pages: Sequence[str]) -> str:
    listed = "\n".join(pages)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{listed}\n```\n"


def _decisions() -> str:
    names = [page.rpartition("/")[2] for page in sources() if page.startswith("docs/decisions/")]
    listed = "\n".join(names)
    return (
        f"# Decisions\n\nWhat was decided, why, and what it costs.\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    )


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tamis-site-") as scratch:
        source = Path(scratch)
        write_source(source)
        shutil.rmtree(TARGET, ignore_errors=True)
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(source), str(TARGET)]
        done = subprocess.run(command, check=False)
    if done.returncode == 0:
        print(f"{TARGET.relative_to(ROOT)}/index.html")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
