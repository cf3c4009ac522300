"""Links that carry their own permission: whoever has one may send this one file, until it expires."""

from dataclasses import dataclass

from tamis.model.bucket import Upload
from tamis.model.principal import Principal
from tamis.services.access.signing import Signer

PATH = "/v1/uploads/"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link allows: to send the file of one upload, as this tenant."""

    principal: Principal
    upload_id: str


class UploadLinks:
    """secret: 32 bytes that only this installation knows. public_url: how clients reach this server, if not as they
    did for the request that asks for a link."""

    def __init__(self, secret: bytes, public_url: str | None = None) -> None:
        self._signer = Signer(secret, "upload")
        self._public_url = public_url

    def url(self, principal: Principal, upload: Upload, base_url: str) -> str:
        """The same upload has the same link for as long as it lives."""
        claims = (principal.organization_id, principal.namespace_id, upload.upload_id)
        token = self._signer.sign(claims, int(upload.expires_at.timestamp()))
        return f"{(self._public_url or base_url).rstrip('/')}{PATH}{token}"

    def open(self, token: str) -> Grant:
        """Raises: ForbiddenError where the link is not ours, or has expired."""
        organization_id, namespace_id, upload_id = self._signer.claims(
            token, "this upload link is not valid", "this upload link has expired; create another upload"
        )
        return Grant(Principal(organization_id, namespace_id), upload_id)
