"""What a published page tells search engines and what shows links to it: the `seo` of its display configuration."""

from collections.abc import Mapping
from typing import Any

import orjson
from markupsafe import Markup


def meta_tags(display: Mapping[str, Any], canonical: str) -> list[tuple[str, str, str]]:
    """(attribute, name, content) of each that has content."""
    seo = display["seo"] or {}
    title, about = seo.get("meta_title") or display["title"], seo.get("meta_description") or display["description"]
    image, alt = seo.get("og_image_url"), seo.get("og_image_alt")
    card = seo.get("twitter_card", "summary_large_image") if image else "summary"
    named = [
        ("name", "description", about),
        ("name", "author", seo.get("author")),
        ("name", "keywords", ", ".join(seo.get("keywords") or ())),
        ("property", "og:title", title),
        ("property", "og:description", about),
        ("property", "og:type", seo.get("og_type") or "website"),
        ("property", "og:url", canonical),
        ("property", "og:site_name", seo.get("site_name")),
        ("property", "og:locale", seo.get("locale")),
        ("property", "og:image", image),
        ("property", "og:image:alt", alt),
        ("name", "twitter:card", card),
        ("name", "twitter:site", seo.get("twitter_site")),
        ("name", "twitter:creator", seo.get("twitter_creator")),
        ("name", "twitter:title", title),
        ("name", "twitter:description", about),
        ("name", "twitter:image", image),
        ("name", "twitter:image:alt", alt),
    ]
    return [(attribute, name, content) for attribute, name, content in named if content]


def structured_data(display: Mapping[str, Any], canonical: str) -> Markup:
    """JSON-LD, in which nothing ends the element that it stands in."""
    seo = display["seo"] or {}
    own: dict[str, Any] = seo.get("structured_data") or {"type": "WebApplication", "additional_properties": {}}
    found = {
        "@context": "https://schema.org",
        "@type": own["type"],
        "name": seo.get("meta_title") or display["title"],
        "description": seo.get("meta_description") or display["description"],
        "url": canonical,
        "image": seo.get("og_image_url"),
        "logo": seo.get("logo_url") or display["logo_url"],
        "author": {"@type": "Person", "name": seo["author"]} if seo.get("author") else None,
        "keywords": ", ".join(seo.get("keywords") or ()),
        "inLanguage": str(seo.get("locale") or "").replace("_", "-"),
        **own["additional_properties"],
    }
    text = orjson.dumps({name: value for name, value in found.items() if value}).decode()
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704 # nosec B704 - what could end the element is escaped above
