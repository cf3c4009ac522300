"""How a search page shows a retriever: kept for the pages that publish it, never read by a run."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pydantic
from pydantic import BaseModel, Field

from tamis.api.schemas.display_values import (
    Address,
    Colour,
    FieldPath,
    Font,
    Keyword,
    Length,
    Markdown,
    PlainJson,
    Ratio,
    Words,
)
from tamis.api.schemas.fields import BucketSchemaField
from tamis.engine.planning.inputs import raise_all


class ResultCardProperties(BaseModel):
    field_order: list[FieldPath] = Field(default_factory=list)
    layout: Keyword = "vertical"
    show_score: bool = False
    show_thumbnail: bool = True
    thumbnail_aspect_ratio: Ratio = "16/9"
    thumbnail_fit: Keyword = "cover"
    truncate_description: int | None = Field(None, ge=1)
    truncate_title: int | None = Field(None, ge=1)


class ComponentsConfig(BaseModel):
    result_card: ResultCardProperties = Field(default_factory=ResultCardProperties)
    result_layout: Keyword = "grid"
    show_filters: bool = False
    show_search: bool = True


class FieldFormatType(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    DATE = "date"
    NUMBER = "number"
    URL = "url"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


class FieldFormatOptions(BaseModel):
    aspect_ratio: Ratio | None = None
    date_format: Words = "relative"
    decimals: int | None = Field(None, ge=0)
    false_label: Words = "No"
    height: int | None = Field(None, ge=1)
    label: Words | None = None
    lazy_load: bool = True
    max_items: int | None = Field(None, ge=1)
    object_fit: Keyword = "cover"
    open_in_new_tab: bool = True
    prefix: Words | None = None
    separator: Words = ", "
    show_domain: bool = False
    show_empty: bool = True
    suffix: Words | None = None
    true_label: Words = "Yes"
    truncate_chars: int | None = Field(None, ge=1)
    width: int | None = Field(None, ge=1)


class FieldConfig(BaseModel):
    format: FieldFormatType
    format_options: FieldFormatOptions = Field(default_factory=FieldFormatOptions)


class InputRenderingConfig(BaseModel):
    field_name: FieldPath
    field_schema: BucketSchemaField
    helper_text: Words | None = None
    label: Words
    order: int = Field(0, ge=0)
    placeholder: Words | None = None
    required: bool = True
    suggestions: list[Words] | None = None


class LayoutConfig(BaseModel):
    columns: int = Field(3, ge=1, le=6)
    gap: Length = "16px"
    mode: Keyword = "grid"


class MarkdownContent(BaseModel):
    content: Markdown = Field(..., min_length=1, max_length=50000)
    title: Words = Field(..., min_length=1, max_length=200)


class StructuredDataConfig(BaseModel):
    additional_properties: PlainJson = Field(default_factory=dict)
    type: Keyword = "WebApplication"


class SEOConfig(BaseModel):
    author: Words | None = None
    canonical_url: Address | None = None
    favicon_url: Address | None = None
    keywords: list[Words] = Field(default_factory=list)
    locale: Keyword = "en_US"
    logo_url: Address | None = None
    meta_description: Words | None = Field(None, max_length=160)
    meta_title: Words | None = Field(None, max_length=60)
    og_image_alt: Words | None = Field(None, max_length=200)
    og_image_url: Address | None = None
    og_type: Words = "website"
    robots: Words = "index, follow"
    site_name: Words = ""
    structured_data: StructuredDataConfig = Field(default_factory=StructuredDataConfig)
    twitter_card: Keyword = "summary_large_image"
    twitter_creator: Words | None = None
    twitter_site: Words | None = None


class ThemeConfig(BaseModel):
    background_color: Colour = "#FFFFFF"
    font_family: Font = "system-ui, -apple-system, sans-serif"
    primary_color: Colour = "#007AFF"
    secondary_color: Colour | None = None
    text_color: Colour = "#000000"


class DisplayConfig(BaseModel):
    components: ComponentsConfig = Field(default_factory=ComponentsConfig)
    description: Words | None = None
    exposed_fields: list[FieldPath] = Field(..., min_length=1)
    field_config: dict[FieldPath, FieldConfig] = Field(default_factory=dict)
    inputs: list[InputRenderingConfig] = Field(..., min_length=1)
    layout: LayoutConfig = Field(default_factory=LayoutConfig)
    logo_url: Address | None = None
    markdowns: list[MarkdownContent] = Field(default_factory=list)
    seo: SEOConfig | None = None
    theme: ThemeConfig = Field(default_factory=ThemeConfig)
    title: Words


def read_display(given: Mapping[str, Any]) -> dict[str, Any]:
    """A display configuration, checked and whole. Raises: ValidationError with every fault at its place."""
    try:
        return DisplayConfig.model_validate(given).model_dump(mode="json")
    except pydantic.ValidationError as error:
        raise_all(
            [{"loc": ["body", "display_config", *one["loc"]], "msg": one["msg"], "type": one["type"]}
             for one in error.errors(include_url=False, include_context=False)]
        )  # fmt: skip
        raise
