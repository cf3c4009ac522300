"""`mixpeek://extractor@version/output`: the stable name of one output of one extractor."""

import re
from dataclasses import dataclass

from tamis.errors import ValidationError

_URI = re.compile(
    r"mixpeek://(?P<extractor>[A-Za-z0-9_\-]+)@(?P<version>[A-Za-z0-9_.\-]+)(?:/(?P<output>[A-Za-z0-9_\-]+))?"
)


@dataclass(frozen=True, slots=True)
class FeatureUri:
    extractor: str
    version: str
    output: str | None = None

    @classmethod
    def parse(cls, text: str, loc: list[str | int] | None = None) -> "FeatureUri":
        """Raises: ValidationError naming `loc` where the text is no feature URI."""
        match = _URI.fullmatch(text)
        if match is None:
            raise ValidationError.at(loc or ["feature_uri"], f"{text!r} is not mixpeek://extractor@version/output")
        return cls(match["extractor"], match["version"], match["output"])

    def __str__(self) -> str:
        tail = f"/{self.output}" if self.output else ""
        return f"mixpeek://{self.extractor}@{self.version}{tail}"
