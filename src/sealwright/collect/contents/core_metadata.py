"""A package's metadata, read for an SBOM: licence, supplier, addresses, requirements.

Enters: METADATA or PKG-INFO as bytes, or the same as pip's report puts it into JSON; both may be hostile. Leaves:
`CoreMetadata`. Never raises for the values of a field: what cannot be used is left out.
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

import re
from typing import Any

from sealwright.collect.contents.licences import collect_licence
from sealwright.collect.contents.references import clean, clean_email, collect_references
from sealwright.files.distribution import MetadataError
from sealwright.model.component import Contact, CoreMetadata, Reference, Supplier

Fields = dict[str, list[str]]

_MAX_HEADER_LINES = 50_000
_MAX_VALUES = 5_000
_LONGEST_NAME = 500
_LONGEST_SUMMARY = 2_000
# A name, quoted or not, and an address in angle brackets; or an address alone (RFC 5322, 3.4, as far as it is used).
_MAILBOX = re.compile(
    r'(?:"([^"<>]{0,200})"|([^<>,"]{0,200}))\s?<([^<>\s]{1,254})>|([^\s,<>"]{1,254}@[^\s,<>"]{1,254})'
)

_END = re.compile(rb"\r?\n\r?\n")
_FORGE = re.compile(
    r"(https://(?:github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)/([A-Za-z0-9_.-]{1,100}))/[A-Za-z0-9_.-]+"
)


def parse_core_metadata(content: bytes) -> CoreMetadata:
    """Read METADATA or PKG-INFO. Raises MetadataError if it has no name and version, or no end."""
    return build_core_metadata(read_fields(content))


def read_fields(content: bytes) -> Fields:
    """Return the header's values by field, in lower case `_` for `-` (RFC 5322, 2.2); the body is not read."""
    end = _END.search(content)
    head = content[: end.start() if end else len(content)].replace(b"\r\n", b"\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if len(lines) > _MAX_HEADER_LINES:
        raise MetadataError(f"its metadata has more than {_MAX_HEADER_LINES:,} lines")
    fields: Fields = {}
    values: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t"):  # a continuation of the value before
            if values:
                values[-1] += "\n" + line.strip()
            continue
        key, colon, value = line.partition(":")
        if colon and key.strip():
            values = fields.setdefault(key.strip().lower().replace("-", "_"), [])
            values.append(value.strip())
    return fields


def fields_of_json(metadata: Any) -> Fields:
    """Bring metadata that was made JSON into the same form (PEP 566, https://peps.python.org/pep-0566/)."""
    if not isinstance(metadata, dict):
        raise MetadataError("its metadata is no object")
    fields: Fields = {}
    for key, value in metadata.items():
        listed = value if isinstance(value, list) else [value]
        texts = [text for text in listed if isinstance(text, str)]
        if texts:
            fields[str(key).lower().replace("-", "_")] = texts
    return fields


def build_core_metadata(fields: Fields) -> CoreMetadata:
    """Turn fields into facts. Raises MetadataError for a name or a version that is none, or too many values."""
    from packaging.utils import InvalidName, canonicalize_name

    if sum(len(values) for values in fields.values()) > _MAX_VALUES:
        raise MetadataError(f"its metadata has more than {_MAX_VALUES:,} values")
    names, versions = fields.get("name", []), fields.get("version", [])
    if len(set(names)) != 1 or len(set(versions)) != 1:
        raise MetadataError("its metadata does not state one Name and one Version")
    try:
        name = canonicalize_name(names[0][:_LONGEST_NAME], validate=True)
    except InvalidName as error:
        raise MetadataError(f"its name {names[0][:80]!r} is not PEP 508") from error
    version = clean(versions[0], 200)
    if not version or any(c.isspace() for c in version):
        raise MetadataError(f"its version {versions[0][:80]!r} is none")
    references = collect_references(
        _first(fields, "home_page"), _first(fields, "download_url"), tuple(fields.get("project_url", []))
    )
    return CoreMetadata(
        name,
        version,
        clean(_first(fields, "summary"), _LONGEST_SUMMARY),
        collect_licence(
            _first(fields, "license_expression"),
            _first(fields, "license"),
            tuple(fields.get("classifier", []) or fields.get("classifiers", [])),
        ),
        _supplier(fields) or _owner(references),
        references,
        tuple(" ".join(text.split()) for text in fields.get("requires_dist", [])),
        tuple(sorted({canonicalize_name(text[:_LONGEST_NAME]) for text in fields.get("provides_extra", [])})),
    )


def _first(fields: Fields, key: str) -> str:
    text = next(iter(fields.get(key, [])), "").strip()
    return "" if text.upper() in ("UNKNOWN", "NONE") else text  # what setuptools wrote for nothing


def _supplier(fields: Fields) -> Supplier | None:
    """Who it comes from: its authors, or else its maintainers; a mailbox is better than nothing."""
    for who in ("author", "maintainer"):
        contacts = _contacts(_first(fields, f"{who}_email"))
        name = clean(_first(fields, who), _LONGEST_NAME)
        name = name or ", ".join(contact.name for contact in contacts if contact.name)
        name = name or ", ".join(contact.email for contact in contacts)
        if name:
            return Supplier(name, contacts)
    return None


def _owner(references: tuple[Reference, ...]) -> Supplier | None:
    """Whose repository it is, where no person is named; said as such, because it is less than a name."""
    for kind in ("vcs", "website", "issue-tracker", "documentation", "other"):
        for reference in references:
            match = _FORGE.match(reference.url) if reference.kind == kind else None
            if match:
                return Supplier(match[2], (), match[1], f"the owner of the repository; {reference.comment}")
    return None


def _contacts(text: str) -> tuple[Contact, ...]:
    found = []
    for quoted, bare, address, alone in _MAILBOX.findall(text[:4_000]):
        email = clean_email(address or alone)
        name = clean(quoted or bare, _LONGEST_NAME)
        if email or name:
            found.append(Contact(name, email))
    return tuple(dict.fromkeys(found))
