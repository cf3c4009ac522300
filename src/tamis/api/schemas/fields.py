"""What an object's field may be: the contract's bucket schema."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class BucketSchemaFieldType(StrEnum):
    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    DATE = "date"
    DATETIME = "datetime"
    JSON = "json"
    FILE = "file"
    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    PDF = "pdf"
    DOCUMENT = "document"
    SPREADSHEET = "spreadsheet"
    PRESENTATION = "presentation"
    DENSE_VECTOR = "dense_vector"
    SPARSE_VECTOR = "sparse_vector"
    INT8_VECTOR = "int8_vector"
    AUTOMATIC = "automatic"


class BucketSchemaField(BaseModel):
    model_config = ConfigDict(extra="allow")

    default: Any | None = None
    description: str | None = None
    enum: list[Any] | None = None
    examples: list[Any] | None = None
    items: "BucketSchemaField | None" = None
    properties: "dict[str, BucketSchemaField] | None" = None
    required: bool | None = False
    type: BucketSchemaFieldType


class BucketSchema(BaseModel):
    model_config = ConfigDict(extra="allow")

    properties: dict[str, BucketSchemaField]
