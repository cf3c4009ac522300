"""What a stage cannot do without on any input, and what of it a server lacks, in words."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias


class Need(StrEnum):
    """Named by a stage class as `needs: ClassVar[frozenset[Need]]`, of any run.

    A class may also have `needs_with(parameters)`, a class method: those of a run with these parameters.
    """

    LANGUAGE = "language models"
    OUTSIDE = "requests to the outside"
    WEB_PAGES = "reading web pages"
    WEB_SEARCH = "web search"
    IMAGE_SEARCH = "reverse image search"
    PROGRAMS = "running programs"
    DATABASES = "lookups in databases"
    CLUSTERING = "clustering"
    RERANKER = "a reranking model"


Lacks: TypeAlias = Mapping[Need, str]
"""What is not set up, with how to set it up."""
