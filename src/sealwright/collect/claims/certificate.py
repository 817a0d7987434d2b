"""What a signing certificate says: names, times, and Fulcio's extensions.

Enters: DER. Leaves: a `Certificate`, in which whatever could not be read is missing and noted. Checks no signature,
no chain and no time. Extensions: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

import warnings
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from sealwright.collect.claims.json_claims import Problems
from sealwright.model.claims import utf8_string
from sealwright.model.explanation import Certificate, Claim, Extension

if TYPE_CHECKING:
    from cryptography.x509 import Extensions, GeneralName

Read = TypeVar("Read")

MAX_CERTIFICATE_BYTES = 64 * 1024
_ARC = "1.3.6.1.4.1.57264.1."
_RAW_UP_TO = 6  # later ones are DER UTF8Strings
_OTHER_NAME = 7
_ISSUERS = (_ARC + "8", _ARC + "1")
_NAMES = (
    "Issuer (deprecated)", "GitHub Workflow Trigger (deprecated)", "GitHub Workflow SHA (deprecated)",
    "GitHub Workflow Name (deprecated)", "GitHub Workflow Repository (deprecated)", "GitHub Workflow Ref (deprecated)",
    "OtherName SAN", "Issuer", "Build Signer URI", "Build Signer Digest", "Runner Environment", "Source Repository URI",
    "Source Repository Digest", "Source Repository Ref", "Source Repository Identifier", "Source Repository Owner URI",
    "Source Repository Owner Identifier", "Build Config URI", "Build Config Digest", "Build Trigger",
    "Run Invocation URI", "Source Repository Visibility At Signing", "Deployment Environment", "Token Subject",
)  # fmt: skip


def read_certificate(der: bytes, problems: Problems) -> Certificate | None:
    """Read a certificate; None if it is none at all. Raises nothing."""
    if len(der) > MAX_CERTIFICATE_BYTES:
        problems.note("the certificate", f"larger than {MAX_CERTIFICATE_BYTES:,} bytes")
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is deprecated in certificates: it goes to standard error
        return _read(der, problems)


def _read(der: bytes, problems: Problems) -> Certificate | None:
    from cryptography.x509 import load_der_x509_certificate

    certificate = _attempt("the certificate", lambda: load_der_x509_certificate(der), problems)
    if certificate is None:
        return None
    found = _attempt("the certificate's extensions", lambda: certificate.extensions, problems)
    extensions = _fulcio(found, problems) if found is not None else ()
    issuers = [extension.text for oid in _ISSUERS for extension in extensions if extension.oid == oid]
    return Certificate(
        identities=_identities(found, problems) if found is not None else (),
        oidc_issuers=tuple(dict.fromkeys(issuers)),
        not_before=_attempt("its validity", lambda: time_text(certificate.not_valid_before_utc), problems) or "",
        not_after=_attempt("its validity", lambda: time_text(certificate.not_valid_after_utc), problems) or "",
        issued_by=_attempt("its issuer", lambda: certificate.issuer.rfc4514_string(), problems) or "",
        extensions=extensions,
        scts=_count_scts(found, problems) if found is not None else 0,
    )


def _attempt(what: str, read: Callable[[], Read], problems: Problems) -> Read | None:
    """Read one part of a certificate; the library lets out errors of many types."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001  whatever is thrown at evidence from outside is noted
        problems.note(what, (str(error).strip().splitlines() or [""])[0] or type(error).__name__)
        return None


def time_text(time: datetime) -> str:
    """Write a time, which is in UTC, to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _fulcio(found: "Extensions", problems: Problems) -> tuple[Extension, ...]:
    from cryptography.x509 import UnrecognizedExtension

    read = []
    for extension in found:
        oid = extension.oid.dotted_string
        last = oid.removeprefix(_ARC)
        if not oid.startswith(_ARC) or not last.isdigit() or not isinstance(extension.value, UnrecognizedExtension):
            continue
        number = int(last) if len(last) < 4 else 0
        name = _NAMES[number - 1] if 1 <= number <= len(_NAMES) else oid
        raw = extension.value.value
        text = raw.decode("utf-8", "backslashreplace") if 1 <= number <= _RAW_UP_TO else utf8_string(raw)
        if text is None:
            problems.note(f"the extension {name}", "it is no DER UTF8String")
        else:
            read.append((number, Extension(oid, name, text)))
    return tuple(extension for _, extension in sorted(read))


def _identities(found: "Extensions", problems: Problems) -> tuple[Claim, ...]:
    from cryptography.x509 import ExtensionNotFound, SubjectAlternativeName

    def names() -> Iterable["GeneralName"]:
        try:
            return list(found.get_extension_for_class(SubjectAlternativeName).value)
        except ExtensionNotFound:
            return ()

    identities = _attempt("its identity", names, problems)
    return tuple(_identity(name, problems) for name in identities or ())


def _identity(name: "GeneralName", problems: Problems) -> Claim:
    from cryptography.x509 import DNSName, OtherName, RFC822Name, UniformResourceIdentifier

    match name:
        case UniformResourceIdentifier():
            return Claim("URI", name.value)
        case RFC822Name():
            return Claim("e-mail", name.value)
        case DNSName():
            return Claim("DNS", name.value)
        case OtherName():
            kind = name.type_id.dotted_string
            text = utf8_string(name.value)
            return Claim("user name" if kind == f"{_ARC}{_OTHER_NAME}" else kind, text or name.value.hex())
        case _:
            shown = _attempt("a name of the certificate", lambda: str(name.value), problems)
            return Claim(type(name).__name__, shown or "")


def _count_scts(found: "Extensions", problems: Problems) -> int:
    from cryptography.x509 import ExtensionNotFound, PrecertificateSignedCertificateTimestamps

    def count() -> int:
        try:
            return len(list(found.get_extension_for_class(PrecertificateSignedCertificateTimestamps).value))
        except ExtensionNotFound:
            return 0

    return _attempt("its SCTs", count, problems) or 0
