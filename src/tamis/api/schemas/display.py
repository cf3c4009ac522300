"""How a search page shows a retriever: kept for the pages that publish it, never read by a run."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.fields import BucketSchemaField


class ResultCardProperties(BaseModel):
    field_order: list[str] = Field(default_factory=list)
    layout: str = "vertical"
    show_score: bool = False
    show_thumbnail: bool = True
    thumbnail_aspect_ratio: str = "16/9"
    thumbnail_fit: str = "cover"
    truncate_description: int | None = Field(None, ge=1)
    truncate_title: int | None = Field(None, ge=1)


class ComponentsConfig(BaseModel):
    result_card: ResultCardProperties = Field(default_factory=ResultCardProperties)
    result_layout: str = "grid"
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
    aspect_ratio: str | None = None
    date_format: str = "relative"
    decimals: int | None = Field(None, ge=0)
    false_label: str = "No"
    height: int | None = Field(None, ge=1)
    label: str | None = None
    lazy_load: bool = True
    max_items: int | None = Field(None, ge=1)
    object_fit: str = "cover"
    open_in_new_tab: bool = True
    prefix: str | None = None
    separator: str = ", "
    show_domain: bool = False
    show_empty: bool = True
    suffix: str | None = None
    true_label: str = "Yes"
    truncate_chars: int | None = Field(None, ge=1)
    width: int | None = Field(None, ge=1)


class FieldConfig(BaseModel):
    format: FieldFormatType
    format_options: FieldFormatOptions = Field(default_factory=FieldFormatOptions)


class InputRenderingConfig(BaseModel):
    field_name: str
    field_schema: BucketSchemaField
    helper_text: str | None = None
    label: str
    order: int = Field(0, ge=0)
    placeholder: str | None = None
    required: bool = True
    suggestions: list[str] | None = None


class LayoutConfig(BaseModel):
    columns: int = Field(3, ge=1, le=6)
    gap: str = "16px"
    mode: str = "grid"


class MarkdownContent(BaseModel):
    content: str = Field(..., min_length=1, max_length=50000)
    title: str = Field(..., min_length=1, max_length=200)


class StructuredDataConfig(BaseModel):
    additional_properties: dict[str, Any] = Field(default_factory=dict)
    type: str = "WebApplication"


class SEOConfig(BaseModel):
    author: str | None = None
    canonical_url: str | None = None
    favicon_url: str | None = None
    keywords: list[str] = Field(default_factory=list)
    locale: str = "en_US"
    logo_url: str | None = None
    meta_description: str | None = Field(None, max_length=160)
    meta_title: str | None = Field(None, max_length=60)
    og_image_alt: str | None = Field(None, max_length=200)
    og_image_url: str | None = None
    og_type: str = "website"
    robots: str = "index, follow"
    site_name: str = ""
    structured_data: StructuredDataConfig = Field(default_factory=StructuredDataConfig)
    twitter_card: str = "summary_large_image"
    twitter_creator: str | None = None
    twitter_site: str | None = None


class ThemeConfig(BaseModel):
    background_color: str = "#FFFFFF"
    font_family: str = "system-ui, -apple-system, sans-serif"
    primary_color: str = "#007AFF"
    secondary_color: str | None = None
    text_color: str = "#000000"


class DisplayConfig(BaseModel):
    components: ComponentsConfig = Field(default_factory=ComponentsConfig)
    description: str | None = None
    exposed_fields: list[str] = Field(..., min_length=1)
    field_config: dict[str, FieldConfig] = Field(default_factory=dict)
    inputs: list[InputRenderingConfig] = Field(..., min_length=1)
    layout: LayoutConfig = Field(default_factory=LayoutConfig)
    logo_url: str | None = None
    markdowns: list[MarkdownContent] = Field(default_factory=list)
    seo: SEOConfig | None = None
    theme: ThemeConfig = Field(default_factory=ThemeConfig)
    title: str
