"""Templates that organisations have made."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.principal import Principal
from tamis.model.template import Template
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.template_tables import templates

_CODEC = Codec(Template)
_c = templates.c
_mine = _c.organization_id == bindparam("organization_id")
_one = (_mine, _c.template_id == bindparam("template_id"))

_INSERT = insert(templates)
_GET = select(_c.body).where(*_one)
_LIST = select(_c.body).where(_mine).order_by(_c.created_at.desc(), _c.template_id)
_DELETE = delete(templates).where(*_one)


class SqlTemplates:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def insert(self, principal: Principal, template: Template) -> None:
        values = {"created_at": to_micros(template.created_at), "body": _CODEC.encode(template)}
        self._link.run(_INSERT, {**_named(principal, template.template_id), **values})
        self._audit.changed(principal, "template", template.template_id, None, template)

    def get(self, principal: Principal, template_id: str) -> Template | None:
        body = self._link.value(_GET, _named(principal, template_id))
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal) -> Sequence[Template]:
        rows = self._link.rows(_LIST, {"organization_id": principal.organization_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def delete(self, principal: Principal, template_id: str) -> bool:
        before = self.get(principal, template_id)
        if before is None:
            return False
        self._link.run(_DELETE, _named(principal, template_id))
        self._audit.changed(principal, "template", template_id, before, None)
        return True


def _named(principal: Principal, template_id: str) -> dict[str, str]:
    return {"organization_id": principal.organization_id, "template_id": template_id}
