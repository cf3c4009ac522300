"""What every page tells the browser to refuse."""

from collections.abc import Iterable, Mapping

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cache-control": "no-store",
}


def public_headers(origins: Iterable[str], pictures: Iterable[str]) -> Mapping[str, str]:
    """Of a published search page. origins: sites whose pages may show it in a frame, `*` for every one.

    pictures: the other hosts that this very page takes pictures from; no others are asked.
    """
    framed = " ".join(origins) or "'none'"
    others = "".join(f" {one}" for one in sorted(pictures))
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{others}; "
        f"media-src 'self'{others}; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {framed}"
    )
    kept = {
        name: value for name, value in HEADERS.items() if name not in ("x-frame-options", "content-security-policy")
    }
    return {**kept, "content-security-policy": policy, "referrer-policy": "no-referrer"}
