"""The files that an earlier search of a published page was asked with: a file has no place in an address."""

from collections.abc import Iterable

from tamis.errors import NotFoundError
from tamis.model.execution import PUBLIC
from tamis.model.json import JSON
from tamis.services.public.public_retrievers import Door
from tamis.services.records.sieves import SieveService
from tamis.studio.search_inputs import Control


async def files_of(sieves: SieveService, door: Door, execution_id: str, controls: Iterable[Control]) -> dict[str, JSON]:
    """From the record of that search, which has to be one of this very page.

    Raises: NotFoundError, also where the record keeps no inputs.
    """
    wanted = [one.name for one in controls if one.kind == "file"]
    request = await sieves.request(door.principal, execution_id)
    header = request.header
    files = {name: request.inputs[name] for name in wanted if name in request.inputs}
    if header.retriever_id != door.published.retriever_id or header.mode != PUBLIC or not files:
        raise NotFoundError.of("execution", execution_id)
    return files
