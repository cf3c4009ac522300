"""Filters as they are sent, each beside what it means: a line of Python on one product."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeAlias

from tests.quality.products import Product

Meaning: TypeAlias = Callable[[Product], bool]
Case: TypeAlias = tuple[Any, Meaning]


def on(field: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    sent = {} if operator in ("exists", "is_null") and value is None else {"value": value}
    return {"field": field, "operator": operator, **sent, **more}


def released(product: Product) -> datetime:
    return datetime.fromisoformat(product["date_released"])


def low(product: Product, field: str) -> str:
    """Text in lower case; empty where the product has none."""
    return str(product.get(field, "")).lower()


def values(product: Product) -> set[str]:
    return {str(attribute["value"]).lower() for attribute in product["attributes"]}


_LONDON_SUMMER = timezone(timedelta(hours=1))

CONDITIONS: dict[str, Case] = {
    "text ignores case": (on("supplier", "eq", "hp"), lambda p: p["supplier"] == "HP"),
    "text heeds case": (on("supplier", "eq", "hp", case_sensitive=True), lambda p: False),
    "text heeding case matches": (
        on("metadata.supplier", "eq", "HP", case_sensitive=True),
        lambda p: p["supplier"] == "HP",
    ),
    "ne is true of what is missing": (
        on("attr_t_product_colour", "ne", "black"),
        lambda p: p.get("attr_t_product_colour") != "Black",
    ),
    "in": (on("supplier", "in", ["HP", "canon", "Nobody"]), lambda p: p["supplier"] in ("HP", "Canon")),
    "nin is true of what is missing": (
        on("attr_t_type", "nin", ["Original", "cover"]),
        lambda p: low(p, "attr_t_type") not in ("original", "cover"),
    ),
    "numbers in": (
        on("attr_n_quantity_per_pack", "in", [1, 5.0]),
        lambda p: p.get("attr_n_quantity_per_pack") in (1, 5),
    ),
    "a number is no text": (on("price", "eq", "4995"), lambda p: False),
    "less": (on("price", "lt", 2000), lambda p: p["price"] < 2000),
    "at most": (on("attr_n_weight", "lte", 1000), lambda p: p.get("attr_n_weight", 1e9) <= 1000),
    "more than a fraction": (
        on("attr_n_cable_length", "gt", 1.8),
        lambda p: p.get("attr_n_cable_length", 0) > 1.8,
    ),
    "nothing": (on("price", "lt", 0), lambda p: False),
    "a time does not compare with a number": (on("date_released", "gt", 5), lambda p: False),
    "from a date on": (
        on("date_released", "gte", "2009-06-15"),
        lambda p: released(p) >= datetime(2009, 6, 15, tzinfo=UTC),
    ),
    "before a time in a zone": (
        on("date_released", "lt", "2008-08-01T01:00:00+01:00"),
        lambda p: released(p) < datetime(2008, 8, 1, 1, tzinfo=_LONDON_SUMMER),
    ),
    "text in the order of text": (on("supplier", "gte", "M"), lambda p: p["supplier"] >= "M"),
    "true": (on("attr_b_colour", "eq", True), lambda p: p.get("attr_b_colour") is True),
    "false": (on("attr_b_colour", "eq", False), lambda p: p.get("attr_b_colour") is False),
    "not true": (on("attr_b_colour", "ne", True), lambda p: p.get("attr_b_colour") is not True),
    "true is not 1": (on("attr_b_colour", "eq", 1), lambda p: False),
    "booleans in": (on("attr_b_colour", "in", [True, False]), lambda p: "attr_b_colour" in p),
    "contains": (
        on("attr_t_product_colour", "contains", "white"),
        lambda p: "white" in low(p, "attr_t_product_colour"),
    ),
    "starts_with": (on("title", "starts_with", "Hp "), lambda p: p["title"].lower().startswith("hp ")),
    "starts_with heeds case": (
        on("name", "starts_with", "C", case_sensitive=True),
        lambda p: p["name"].startswith("C"),
    ),
    "ends_with": (on("title", "ends_with", "m"), lambda p: p["title"].lower().endswith("m")),
    "regex": (on("title", "regex", r"\b\d+\s?gb\b"), lambda p: re.search(r"(?i)\b\d+\s?gb\b", p["title"]) is not None),
    "regex heeds case": (
        on("name", "regex", r"^[A-Z]{2}\d+", case_sensitive=True),
        lambda p: re.search(r"^[A-Z]{2}\d+", p["name"]) is not None,
    ),
    "text has all words": (
        on("title", "text", "cable black"),
        lambda p: {"cable", "black"} <= set(re.findall(r"\w+", p["title"].lower())),
    ),
    "exists": (on("attr_t_type", "exists"), lambda p: "attr_t_type" in p),
    "exists not": (on("attr_t_type", "exists", False), lambda p: "attr_t_type" not in p),
    "is_null": (on("attr_n_weight", "is_null", True), lambda p: "attr_n_weight" not in p),
    "eq null": (on("attr_n_weight", "eq", None), lambda p: "attr_n_weight" not in p),
    "any of an array": (on("ean", "starts_with", "0088"), lambda p: any(e.startswith("0088") for e in p["ean"])),
    "an object's field": (on("size.width", "lt", 100), lambda p: p["size"].get("width", 1e9) < 100),
    "an empty object is there": (on("size", "exists"), lambda p: True),
    "an array of objects": (on("attributes.value", "eq", "black"), lambda p: "black" in values(p)),
    "no object of an array": (on("attributes.value", "ne", "black"), lambda p: "black" not in values(p)),
    "an empty array is missing": (on("attributes", "exists", False), lambda p: not p["attributes"]),
    "a long text contains": (
        on("description", "contains", "warranty"),
        lambda p: "warranty" in low(p, "description"),
    ),
    "empty text equals": (on("description", "eq", ""), lambda p: p["description"] == ""),
}

GROUPS: dict[str, Case] = {
    "a range": (
        {"AND": [on("price", "gte", 1000), on("price", "lt", 5000)]},
        lambda p: 1000 <= p["price"] < 5000,
    ),
    "a range in short": ({"price": {"$gte": 1000, "$lt": 5000}}, lambda p: 1000 <= p["price"] < 5000),
    "a list is and": (
        [on("supplier", "eq", "HP"), on("price", "gt", 9000)],
        lambda p: p["supplier"] == "HP" and p["price"] > 9000,
    ),
    "or": (
        {"OR": [on("supplier", "eq", "Epson"), on("attr_t_type", "eq", "Original")]},
        lambda p: p["supplier"] == "Epson" or p.get("attr_t_type") == "Original",
    ),
    "not over several: none may hold": (
        {"NOT": [on("supplier", "eq", "HP"), on("price", "lt", 3000), on("attr_b_colour", "eq", True)]},
        lambda p: not (p["supplier"] == "HP" or p["price"] < 3000 or p.get("attr_b_colour") is True),
    ),
    "not of what is missing": (
        {"NOT": [on("attr_n_weight", "gt", 500)]},
        lambda p: not p.get("attr_n_weight", 0) > 500,
    ),
    "and, or and not side by side": (
        {
            "AND": [on("price", "gt", 500)],
            "OR": [on("supplier", "in", ["HP", "C2G"]), on("date_released", "gte", "2010-01-01")],
            "NOT": [on("title", "contains", "toner")],
        },
        lambda p: (
            p["price"] > 500
            and (p["supplier"] in ("HP", "C2G") or released(p) >= datetime(2010, 1, 1, tzinfo=UTC))
            and "toner" not in p["title"].lower()
        ),
    ),
    "deep": (
        {"OR": [{"AND": [on("supplier", "eq", "Canon"), {"NOT": [{"OR": [on("price", "lt", 3000)]}]}]}, {"price": 0}]},
        lambda p: (p["supplier"] == "Canon" and not p["price"] < 3000) or p["price"] == 0,
    ),
    "case for a whole group": (
        {"case_sensitive": True, "OR": [on("supplier", "eq", "hp"), on("supplier", "eq", "Canon")]},
        lambda p: p["supplier"] == "Canon",
    ),
}

FILTERS = {**CONDITIONS, **GROUPS}


def random_filters(seed: int, count: int) -> list[Case]:
    """Trees of AND, OR and NOT over the conditions, three levels deep."""
    chance = random.Random(seed)
    return [_tree(chance, 3) for _ in range(count)]


def _tree(chance: random.Random, depth: int) -> Case:
    if depth == 0 or chance.random() < 0.2:
        return chance.choice(list(CONDITIONS.values()))
    parts = [_tree(chance, depth - 1) for _ in range(chance.randint(1, 3))]
    group = chance.choice(["AND", "OR", "NOT"])
    return {group: [sent for sent, _ in parts]}, _joined(group, [meaning for _, meaning in parts])


def _joined(group: str, meanings: list[Meaning]) -> Meaning:
    if group == "AND":
        return lambda product: all(meaning(product) for meaning in meanings)
    if group == "OR":
        return lambda product: any(meaning(product) for meaning in meanings)
    return lambda product: not any(meaning(product) for meaning in meanings)
