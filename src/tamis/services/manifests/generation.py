"""Manifests that a language model writes: read, tried and linted as anybody's, and applied by nobody but a person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.engine.language.manifest_writing import Attempt, Known, manifest_prompt
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels, Reply
from tamis.engine.ports.metadata import Metadata
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import Price
from tamis.errors import ValidationError
from tamis.model.fault import Fault
from tamis.model.principal import Principal
from tamis.services.manifests.lint import Remark, lint
from tamis.services.manifests.manifests import ManifestService
from tamis.services.manifests.reading import VERSION, Written
from tamis.services.manifests.yaml_text import read, write
from tamis.services.runs.turns import Turns

CHARGED_AS = "writing"
"""Among what the organisation's credits went to."""
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Generated:
    """text: the last attempt, as YAML.  written: what was read of it, with every fault; None where it is no YAML.

    faults: empty where applying it would do what it says.  credits: for all attempts.
    """

    text: str
    written: Written | None
    faults: Sequence[Fault]
    remarks: Sequence[Remark]
    attempts: int
    model: str
    credits: float


class ManifestGeneration:
    """known: what a manifest may be made of here.  price: of the model's calls and tokens."""

    def __init__(
        self, manifests: ManifestService, metadata: Metadata, language: LanguageModels, price: Price, turns: Turns,
        clock: Clock, known: Callable[[], Known],
    ) -> None:  # fmt: skip
        self._manifests = manifests
        self._metadata = metadata
        self._language = language
        self._price = price
        self._turns = turns
        self._clock = clock
        self._known = known

    async def generate(self, principal: Principal, description: str, name: str) -> Generated:
        """At most three attempts; each after the first is told the faults of the one before. Nothing is made.

        Raises: LanguageModelMissingError where none is set up, LanguageModelError, CreditsSpentError.
        """
        await self._turns.check_credits(principal)
        self._language.resolve(None, None)
        known, allowance, before = self._known(), Allowance(self._price), None
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                prompt = manifest_prompt(description, known, before)
                async with self._turns.taken(principal):
                    reply = await self._language.ask(principal, prompt, allowance)
                text = _called(_manifest_in(reply), name)
                written, faults = await self._tried(principal, text)
                if not faults or attempt == _ATTEMPTS:
                    break
                before = Attempt(text, faults)
        finally:
            await self._charge(principal, allowance.credits)
        remarks = lint(written, ()) if written is not None and not faults else ()
        return Generated(text, written, faults, remarks, attempt, reply.model, allowance.credits)

    async def _tried(self, principal: Principal, text: str) -> tuple[Written | None, Sequence[Fault]]:
        """What applying it would meet with, in a transaction that is undone."""
        try:
            written = await self._manifests.validate(principal, text.encode())
        except ValidationError as error:
            return None, [Fault(str(error.details.get("line", 1)), "", error.message)]
        return written, written.faults

    async def _charge(self, principal: Principal, cost: float) -> None:
        self._turns.spent(principal, cost)
        today = self._clock.now().date()
        await self._metadata.write(lambda session: session.credits.charge(principal, CHARGED_AS, today, cost))


def _manifest_in(reply: Reply) -> str:
    value: Any = reply.value
    return str(value["manifest"])


def _called(text: str, name: str) -> str:
    """The manifest under this name, in the words of an export; as it is where it cannot be read."""
    try:
        value = read(text.encode()).value
    except ValidationError:
        return text
    if not isinstance(value, dict):
        return text
    said = value.get("metadata")
    rest = {key: one for key, one in value.items() if key not in ("version", "metadata")}
    metadata = {**(said if isinstance(said, dict) else {}), "name": name}
    return write({"version": value.get("version", VERSION), "metadata": metadata, **rest})
