"""The templates that come with the installation. Each is a manifest, which `tamis manifest apply` takes as it is; what
it is good for stands in its `metadata`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, cast

from tamis.model.template import Template, TemplateType
from tamis.services.manifests.yaml_text import read

SECTIONS = {
    TemplateType.NAMESPACE: "namespaces",
    TemplateType.BUCKET: "buckets",
    TemplateType.COLLECTION: "collections",
    TemplateType.RETRIEVER: "retrievers",
    TemplateType.TAXONOMY: "taxonomies",
    TemplateType.CLUSTER: "clusters",
}
_SINCE = datetime(2026, 11, 30, tzinfo=UTC)


@cache
def shipped() -> tuple[Template, ...]:
    """By kind, and within one by the `place` that each says of itself."""
    return tuple(one for template_type in TemplateType for one in _of(template_type))


def text_of(template: Template) -> str:
    """The file of one that is shipped, as it is."""
    name = template.template_id.removeprefix("tmpl_")
    return _folder(template.type).joinpath(f"{name}.yaml").read_text()


def _of(template_type: TemplateType) -> Iterator[Template]:
    found = [_read(template_type, each) for each in _folder(template_type).iterdir() if each.name.endswith(".yaml")]
    for _, template in sorted(found, key=lambda one: (one[0], one[1].template_id)):
        yield template


def _read(template_type: TemplateType, file: Traversable) -> tuple[int, Template]:
    manifest = cast(dict[str, Any], read(file.read_bytes()).value)
    said = manifest["metadata"]
    whole = template_type is TemplateType.NAMESPACE
    return said["place"], Template(
        f"tmpl_{file.name.removesuffix('.yaml')}",
        template_type,
        said["name"],
        said["description"],
        manifest if whole else manifest[SECTIONS[template_type]][0],
        _SINCE,
        category=said["category"],
        tags=tuple(said.get("tags", ())),
        use_cases=tuple(said.get("use_cases", ())),
        requirements=tuple(said.get("requirements", ())),
    )


def _folder(template_type: TemplateType) -> Traversable:
    return files(__name__).joinpath(SECTIONS[template_type])
