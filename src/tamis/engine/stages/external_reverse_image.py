"""Where else on the web a picture is found."""

from typing import Any, ClassVar

from pydantic import BaseModel, Field

from tamis.engine.needs import Need
from tamis.engine.outreach.discovering import (
    OnNothing,
    appended,
    domain_of,
    how_many,
    questions,
    row,
    scores_of,
    searched,
)
from tamis.engine.parameters import StageParameters
from tamis.engine.ports.web_search import ImageQuery, Sighting, Sightings
from tamis.engine.spending.spending import Given, Knob, KnobKind, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.errors import ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_INPUT = "image_url"


class ExternalReverseImageParameters(StageParameters):
    image_url: str | None = Field(
        None,
        min_length=1,
        description="The picture's address, or data:image/...;base64, with DOC once for each document. Else the input.",
    )
    provider: str | None = Field(
        None, min_length=1, description="serpapi, tineye, vision or another that the operator set up; else the first."
    )
    engine: str | None = Field(
        None,
        min_length=1,
        description="Of serpapi: google_lens, google_reverse_image, bing_reverse_image, yandex_images.",
    )
    top_k: int = Field(20, ge=1, le=100, description="Results at most, for each picture.")
    timeout: float = Field(20, ge=1, le=60, description="Seconds for a search.")
    on_error: OnNothing = Field("skip", description="Without an answer: go on with what there is, or fail.")


def _yields(asked: ExternalReverseImageParameters, given: Given) -> float:
    return given.count + how_many(asked.image_url, given) * asked.top_k


class ExternalReverseImage:
    """What comes in stays as it is; pages with the picture follow it in the provider's order."""

    id: ClassVar[str] = "external_reverse_image"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "scan-search"
    description: ClassVar[str] = (
        "Look for a picture on the web by a provider that the operator set up (SerpApi with Google Lens and others, "
        "TinEye, Google Vision) and add the pages that show it, or its like, as documents."
    )
    Parameters: ClassVar[type[BaseModel]] = ExternalReverseImageParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.IMAGE_SEARCH})
    spends: ClassVar[Spending] = Spending(
        usage=lambda asked, given: Usage(_yields(asked, given), calls=how_many(asked.image_url, given)),
        yields=lambda asked, given: _yields(asked, given),
        knobs=(Knob(KnobKind.TOP_K, ("top_k",)),),
    )
    example: ClassVar[dict[str, Any]] = {"image_url": "https://example.com/knife.jpg", "top_k": 5}

    def __init__(self, parameters: ExternalReverseImageParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        asked, unasked = questions(given.image_url or _from_input(context), hits, context)

        async def search(image: str) -> Sightings:
            query = ImageQuery(image, given.top_k, given.provider, given.engine, float(given.timeout))
            return await context.reach.web_search.images(context.principal, query, context.allowance)

        answers, failed = await searched(asked, given.on_error, search)
        found = [hit for image, seen in answers for hit in _hits(image, seen, context.stage_name)]
        told = [f"{image[:80]!r}: {said}" for image, seen in answers for said in seen.warnings]
        return Outcome(
            appended(hits, found),
            processed=len(hits) + len(found),
            metadata={"searches": len(asked), "found": len(found), "calls": sum(seen.calls for _, seen in answers)},
            warnings=tuple(dict.fromkeys((*unasked, *failed, *told))),
        )


def _from_input(context: Context) -> str:
    value = context.inputs.get(_INPUT)
    if not isinstance(value, str) or not value.strip():
        raise ValidationError.at(
            ["parameters", _INPUT], f"there is no picture to look for: give {_INPUT}, or the input {_INPUT!r} as text"
        )
    return value


def _hits(image: str, seen: Sightings, stage_name: str) -> list[Hit]:
    scores = scores_of([one.score for one in seen.found])
    return [
        row("image", f"{one.url} {one.image_url or ''}", score, stage_name, _fields(one, image, position, seen))
        for position, (one, score) in enumerate(zip(seen.found, scores, strict=True))
    ]


def _fields(one: Sighting, image: str, position: int, seen: Sightings) -> dict[str, JSON]:
    return {
        "source": "reverse_image",
        "url": one.url,
        "title": one.title,
        "site": one.site,
        "domain": domain_of(one.url),
        "image_url": one.image_url,
        "thumbnail_url": one.thumbnail_url,
        "width": one.width,
        "height": one.height,
        "published_date": one.published,
        # A picture that was sent itself is not repeated on each result.
        "search_image": None if image.startswith("data:") else image,
        "search_position": position,
        "search_provider": seen.provider,
        "search_engine": seen.engine,
    }
