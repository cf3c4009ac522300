"""The documents behind the names that a data set's pools and judgements use."""

from collections.abc import Sequence

from tamis.engine.ports.metadata import Session
from tamis.evaluation.rankings import name_of
from tamis.executions.codec import decode
from tamis.model.dataset import Dataset, Pooled
from tamis.model.document import Document
from tamis.model.principal import Principal
from tamis.services.runs.series import final_ranking


def documents_of(
    session: Session, principal: Principal, dataset: Dataset, pooled: Sequence[Pooled]
) -> dict[str, Document]:
    """By name, what of them is there. Of the passages of one document, the one that an execution ranked first."""
    field = dataset.document_field
    if field is None:
        return dict(session.documents.get_many(principal, [one.document_id for one in pooled]))
    wanted, found = {one.document_id for one in pooled}, dict[str, Document]()
    for execution_id in dict.fromkeys(one.execution_id for one in pooled):
        stored = session.executions.get(principal, execution_id) if execution_id else None
        if stored is None:
            continue
        ids = [hit.id for hit in final_ranking(decode(stored)) if hit.is_document]
        held = session.documents.get_many(principal, ids)
        for document in (held[one] for one in ids if one in held):
            name = name_of(document.view(), field)
            if name in wanted and name is not None:
                found.setdefault(name, document)
    return found
