"""The extractors: one file each, one line in the registry."""

from collections.abc import Sequence

from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import Extractor
from tamis.engine.ports.inference import Models
from tamis.engine.ports.web_pages import WebPages
from tamis.extractors.audio_extractor import AudioExtractor
from tamis.extractors.document_extractor import DocumentExtractor
from tamis.extractors.image_extractor import ImageExtractor
from tamis.extractors.multimodal_extractor import MultimodalExtractor
from tamis.extractors.passthrough_extractor import PassthroughExtractor
from tamis.extractors.text_extractor import TextExtractor
from tamis.extractors.video_extractor import VideoExtractor
from tamis.extractors.web_scraper_extractor import WebScraperExtractor

_SUFFIX = "_extractor"


class ExtractorRegistry:
    """models: lets an extractor that takes a model's name find out about it.

    decoding: for files of media.  pages: for web sites.
    """

    def __init__(
        self, models: Models | None = None, decoding: Decoding | None = None, pages: WebPages | None = None
    ) -> None:
        self._extractors: dict[str, Extractor] = {
            "text_extractor": TextExtractor(models),
            "image_extractor": ImageExtractor(models, decoding),
            "document_extractor": DocumentExtractor(models, decoding),
            "passthrough_extractor": PassthroughExtractor(),
            "audio_extractor": AudioExtractor(models, decoding),
            "video_extractor": VideoExtractor(models, decoding),
            "multimodal_extractor": MultimodalExtractor(models, decoding),
            "web_scraper_extractor": WebScraperExtractor(models, decoding, pages),
        }

    def get(self, name: str, version: str) -> Extractor | None:
        """By name, with or without `_extractor`; None where there is no such version."""
        found = self._extractors.get(name) or self._extractors.get(name + _SUFFIX)
        return found if found is not None and found.version == version else None

    def add(self, extractor: Extractor) -> None:
        """One of another package's."""
        self._extractors[extractor.name] = extractor

    def all(self) -> Sequence[Extractor]:
        return tuple(self._extractors.values())
