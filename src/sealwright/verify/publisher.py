"""Whom an index calls the publisher of a file, held against the certificate of the attestation beside it.

Enters: the publisher object of PEP 740, which is a claim, and a certificate that was verified. Leaves: in what they
differ. Nothing here makes anything count: the certificate says who signed.
"""

from typing import TYPE_CHECKING, Any

from sealwright.model.claims import FULCIO, utf8_string

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SOURCE, _CONFIG = "12", "18"  # Source Repository URI, Build Config URI


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
