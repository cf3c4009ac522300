"""The real models for these tests."""

from tests.models import models

__all__ = ["models"]
