"""The documentation hangs together: every page is in the site's menu, every link leads somewhere."""

from pathlib import Path

from scripts.site_pages import ROOT, adapted, anchors, broken, links, sections


def test_every_page_stands_in_the_menu_once() -> None:
    listed = [page for section in sections() for page in section.pages]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "docs").glob("*.md"))


def test_no_link_leads_nowhere() -> None:
    assert broken() == []


def write(root: Path, **pages: str) -> None:
    for name in ("README", "ARCHITECTURE", "SECURITY", "CHANGELOG"):
        (root / f"{name}.md").write_text(f"# {name}\n")
    (root / "docs" / "decisions").mkdir(parents=True)
    for name, text in pages.items():
        (root / "docs" / f"{name}.md").write_text(text)


def test_a_link_to_what_is_not_there_is_found(tmp_path: Path) -> None:
    code = "```\n[c](gone.md)\n```\n`[d](gone.md)`\n"
    write(tmp_path, a=f"[a](b.md#here) [b](c.md) [e](b.md#there) [f](https://example.com/x)\n{code}", b="## Here `x`\n")
    assert broken(tmp_path) == ["docs/a: b.md#here", "docs/a: c.md", "docs/a: b.md#there"]
    write_again = tmp_path / "docs" / "b.md"
    write_again.write_text("## Here\n")
    assert "docs/a: b.md#here" not in broken(tmp_path)


def test_headings_have_the_anchors_that_links_use() -> None:
    assert anchors("# A `name`, and more\n```\n# no heading\n```\n## What's [this](x.md)?") == {
        "a-name-and-more",
        "whats-this",
    }
    assert list(links("![picture](p.png) [a [b]](c.md)")) == ["c.md", "p.png"]


def test_links_lead_to_pages_and_other_files_are_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="[home](../README.md#x), [b](b.md), [chart](../deploy/chart.yaml), [out](https://example.com)\n",
        b="",
    )
    assert adapted("docs/a", tmp_path) == (
        "[home](../index.md#x), [b](../docs/b.md), chart (`deploy/chart.yaml`), [out](https://example.com)\n"
    )
