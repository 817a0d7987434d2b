"""Whom a certificate names as the publisher of a file, and whom an index calls so.

Enters: the publisher object of PEP 740, which is a claim, and a certificate. Leaves: in what they differ, and the
publisher of the certificate. The certificate says who signed; whether it is to be believed is for sigstore-python,
which asks `ThePublisher` while it verifies.
"""

from typing import TYPE_CHECKING, Any

from sealwright.model.claims import FULCIO, utf8_string
from sealwright.model.publisher import Publisher, checked, differences, say, split_ref

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_ISSUER, _ISSUER_V2, _SOURCE, _REF, _SOURCE_ID, _OWNER_ID, _CONFIG = "1", "8", "12", "14", "15", "17", "18"


def publisher_problem(publisher: Any, certificate: "Certificate") -> str:
    """Return in what a publisher is not whom the certificate names; empty if nothing, or if it cannot be compared."""
    if not isinstance(publisher, dict):
        return ""
    forge, path = _place(publisher)
    if not forge:
        return ""
    said = f"{forge}{publisher.get('repository')}"
    source, config = _claim(certificate, _SOURCE), _claim(certificate, _CONFIG)
    if said.casefold() != source.casefold():  # as forges compare the names of repositories
        return f"the index names {said[:200]}, and the certificate {source[:200] or 'no repository'}"
    if config.partition("@")[0].casefold() != (said + path).casefold():
        return f"the index names {(said + path)[:200]}, and the certificate {config[:200] or 'no workflow'}"
    return ""


def _place(publisher: dict[str, Any]) -> tuple[str, str]:
    """The forge of a publisher, and the path of its workflow there; empty for a kind that is not known here."""
    match publisher.get("kind"):
        case "GitHub":
            return "https://github.com/", f"/.github/workflows/{publisher.get('workflow')}"
        case "GitLab":
            return "https://gitlab.com/", f"//{publisher.get('workflow_filepath')}"
        case _:
            return "", ""


def _claim(certificate: "Certificate", number: str) -> str:
    from cryptography.x509 import ObjectIdentifier
    from cryptography.x509.extensions import ExtensionNotFound

    try:
        extension = certificate.extensions.get_extension_for_oid(ObjectIdentifier(FULCIO + number))
        return utf8_string(extension.value.value) or ""  # type: ignore[attr-defined]
    except (ExtensionNotFound, ValueError, AttributeError):
        return ""


class ThePublisher:
    """A sigstore policy: the certificate is that of one publisher, at whatever ref; or of any, which is then `found`.

    With no `expected` it proves nothing by itself: it only tells who signed.
    """

    def __init__(self, expected: Publisher | None = None) -> None:
        """Take who must have signed, if that is known."""
        self.expected = expected
        self.found: Publisher | None = None
        self.identity = ""

    def verify(self, cert: "Certificate") -> None:
        """Raise sigstore's VerificationError unless it is that publisher, or one that could be told from others."""
        from sigstore.errors import VerificationError

        try:
            publisher, identity = read_publisher(cert)
        except Exception as error:  # a damaged extension makes the library throw more than it says
            raise VerificationError(f"a certificate that names no publisher: {error}") from error
        if self.expected is not None and publisher != self.expected:
            what = ", ".join(differences(self.expected, publisher))
            raise VerificationError(f"by {say(publisher)}, which is another {what} than was accepted on first use")
        self.found, self.identity = publisher, identity


def read_publisher(certificate: "Certificate") -> tuple[Publisher, str]:
    """Return the publisher that a certificate names, and its identity with the ref. Raises ValueError."""
    from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier

    names = list(certificate.extensions.get_extension_for_class(SubjectAlternativeName).value)
    if len(names) != 1 or not isinstance(names[0], UniformResourceIdentifier):
        raise ValueError("an identity that is no workflow")
    identity: str = names[0].value
    issuer, ref = _raw(certificate, _ISSUER), _claim(certificate, _REF)
    if issuer != _claim(certificate, _ISSUER_V2):
        raise ValueError("two oidc issuers, or none")
    workflow, signing = split_ref(_claim(certificate, _CONFIG), ref)[0], split_ref(identity, ref)[0]
    repository, number = _claim(certificate, _SOURCE), _claim(certificate, _SOURCE_ID)
    owner = _claim(certificate, _OWNER_ID)
    return checked(Publisher(issuer, repository, number, owner, workflow, signing)), identity


def _raw(certificate: "Certificate", number: str) -> str:
    from cryptography.x509 import ObjectIdentifier

    extension = certificate.extensions.get_extension_for_oid(ObjectIdentifier(FULCIO + number))
    content: bytes = extension.value.value  # type: ignore[attr-defined]
    return content.decode("ascii")
