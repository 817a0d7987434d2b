"""in-toto's metadata, read: bytes of a layout or a link in, in-toto's own objects out, or a `BadMetadataError`.

Enters: bytes that may be hostile. Leaves: `Layout` and `Link`, whose fields have the types that they should have; the
in-toto library checks only some of them. Runs nothing, writes nothing, and judges no signature.
Format: https://github.com/in-toto/specification/blob/v1.0/in-toto-spec.md#4-document-formats
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, NamedTuple

from sealwright.files.strict_json import read_json

MAX_VALUES = 25_000  # in one file: each artifact of a link is one
_MAX_STEPS = 100
_MAX_NAME = 100
_MAX_SIGNATURES = 100
_MAX_DEPTH = 20
_ENVELOPE = "application/vnd.in-toto+json"
_KEY_ID = re.compile(r"[0-9a-f]{8,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Artifacts = dict[str, dict[str, str]]
"""Paths, and for each the names of hash functions with hex digests."""


class BadMetadataError(ValueError):
    """Bytes that are no layout, or no link, that could be judged; the text says why."""


class SublayoutError(BadMetadataError):
    """A layout where a link should be. What it would run is decided by whoever made it."""


class Functionary(NamedTuple):
    """A key that may sign links: its id, those of its subkeys, and what in-toto verifies with.

    `expires` is, by key id, when an OpenPGP key of the layout ends; in-toto would hold that against the real clock.
    """

    key_id: str
    subkeys: tuple[str, ...]
    key: dict[str, Any]
    expires: dict[str, datetime]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Every key id under which a link of theirs may be signed."""
        return (self.key_id, *self.subkeys)


class Layout(NamedTuple):
    """A layout, its signatures, and the bytes that they sign. `parsed` is in-toto's object of it.

    `owners` tells for each key id, also of a subkey, whose it is.
    """

    expires: datetime
    steps: tuple[Any, ...]
    inspections: tuple[str, ...]
    owners: dict[str, Functionary]
    signatures: tuple[dict[str, Any], ...]
    signed: bytes
    parsed: Any


class Link(NamedTuple):
    """What one functionary says they did. `metadata` is in-toto's object, with the signatures."""

    step: str
    command: tuple[str, ...]
    returned: object
    materials: Artifacts
    products: Artifacts
    signatures: tuple[dict[str, Any], ...]
    metadata: Any
    parsed: Any

    def signed(self) -> bytes:
        """Return the bytes that are signed; canonical JSON of a large link takes a while."""
        content: bytes = self.parsed.signable_bytes
        return content


def read_layout(content: bytes) -> Layout:
    """Read a layout with its signatures (in-toto specification 4.3). Raises BadMetadataError."""
    try:
        document = _read_object(content)
        if "payload" in document:
            raise BadMetadataError("a DSSE envelope, which can carry no OpenPGP signature")
        metadata = _parse(document, "layout")
        layout = metadata.signed
        _check_steps(layout.steps)
        return Layout(
            datetime.strptime(layout.expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            tuple(layout.steps),
            tuple(str(inspection.name) for inspection in layout.inspect),
            _functionaries(layout.keys),
            _signatures(metadata.signatures),
            layout.signable_bytes,
            layout,
        )
    except BadMetadataError:
        raise
    except Exception as error:  # FormatError, KeyError, TypeError, RecursionError: the library lets them all out
        raise BadMetadataError(_words(error)) from error


def read_link(content: bytes) -> Link:
    """Read a link with its signatures (in-toto specification 4.4). Raises BadMetadataError, and SublayoutError."""
    try:
        document = _read_object(content)
        envelope = "payload" in document
        inside = _read_payload(document) if envelope else document.get("signed")
        if isinstance(inside, dict) and inside.get("_type") == "layout":
            raise SublayoutError("a layout in place of a link")
        metadata = _parse(document, "link")
        link = metadata.get_payload()
        if not isinstance(link.name, str) or not all(isinstance(word, str) for word in link.command):
            raise BadMetadataError("a link whose step or command is no text")
        return Link(
            link.name,
            tuple(link.command),
            link.byproducts.get("return-value"),
            _artifacts(link.materials),
            _artifacts(link.products),
            () if envelope else _signatures(metadata.signatures),
            metadata,
            link,
        )
    except BadMetadataError:
        raise
    except Exception as error:  # as above
        raise BadMetadataError(_words(error)) from error


def _read_object(content: bytes) -> dict[str, Any]:
    document = read_json(content, MAX_VALUES)
    if not isinstance(document, dict):
        raise BadMetadataError("JSON that is no object")
    _check_depth(document)
    return document


def _check_depth(value: object, left: int = _MAX_DEPTH) -> None:
    """A link says whatever it likes of its environment; what is nested deeper than that only costs time."""
    if isinstance(value, dict | list):
        if not left:
            raise BadMetadataError("JSON that is nested too deeply")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, left - 1)


def _read_payload(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a DSSE envelope holds, read once strictly, because in-toto reads it again less so."""
    if document.get("payloadType") != _ENVELOPE or not isinstance(document["payload"], str):
        raise BadMetadataError("an envelope of another type")
    return _read_object(base64.b64decode(document["payload"], validate=True))


def _parse(document: dict[str, Any], kind: str) -> Any:
    from in_toto.models.metadata import Metablock, Metadata

    inside = document.get("signed")
    if "payload" not in document and isinstance(inside, dict) and inside.get("_type") == "link":
        metadata = Metablock(signatures=document.get("signatures", []), signed=_link_class()(**inside))
    else:
        metadata = Metadata.from_dict(document)
    if metadata.get_payload().type_ != kind:
        raise BadMetadataError(f"no {kind}")
    return metadata


@cache
def _link_class() -> Any:
    """in-toto's link, which writes its canonical JSON once and not at each of four or five askings, two by validation.

    Nothing changes a link once it is made; for twenty thousand files each time costs a quarter of a second.
    """
    from in_toto.models.link import Link as InTotoLink

    class OnceWritten(InTotoLink):  # type: ignore[misc]  # in-toto has no types
        @cached_property
        def signable_bytes(self) -> Any:
            return super().signable_bytes

    return OnceWritten


def _check_steps(steps: list[Any]) -> None:
    """What in-toto takes without a look: a threshold of nobody, a name that is a path, a command that is no text."""
    if not steps or len(steps) > _MAX_STEPS:
        raise BadMetadataError(f"a layout of {len(steps)} steps, which must be 1 to {_MAX_STEPS}")
    for step in steps:
        if not is_step_name(step.name):
            raise BadMetadataError("a step whose name could be no name of a file")
        if isinstance(step.threshold, bool) or step.threshold < 1:
            raise BadMetadataError(f"the step {step.name} asks for {step.threshold} links")
        if not all(isinstance(word, str) for word in step.expected_command):
            raise BadMetadataError(f"the command of the step {step.name} is no list of texts")
        if not all(_KEY_ID.fullmatch(key_id) for key_id in step.pubkeys):
            raise BadMetadataError(f"the step {step.name} names a key whose id is not in lower-case hex digits")


def is_step_name(name: object) -> bool:
    """Tell whether a step's name can be a part of a link's file name."""
    plain = isinstance(name, str) and name.isprintable() and name == name.strip()
    return plain and 0 < len(str(name)) <= _MAX_NAME and not set(str(name)) & set("/\\") and str(name)[0] not in ".-"


def _functionaries(keys: dict[str, Any]) -> dict[str, Functionary]:
    """The keys of a layout, each under its own id and none of them twice: one person would count as two."""
    found: dict[str, Functionary] = {}
    seen: set[str] = set()
    for key_id, key in keys.items():
        subkeys = dict(key.get("subkeys") or {})
        for each, part in ((key_id, key), *subkeys.items()):
            if not _KEY_ID.fullmatch(each) or part["keyid"] != each:
                raise BadMetadataError(f"the key {each[:80]} stands under an id that is not its own")
            for mark in (each, repr(part["keyval"])):
                if mark in seen:
                    raise BadMetadataError(f"the key {each} stands in it twice")
                seen.add(mark)
        owner = _functionary(key_id, key, subkeys)
        found |= dict.fromkeys(owner.key_ids, owner)
    return found


def _functionary(key_id: str, key: dict[str, Any], subkeys: dict[str, Any]) -> Functionary:
    """Take the ends of OpenPGP keys out of in-toto's sight, so that the time of the verification decides."""
    expires = {}
    timeless = key | ({"subkeys": {each: dict(part) for each, part in subkeys.items()}} if subkeys else {})
    for each, part in ((key_id, timeless), *timeless.get("subkeys", {}).items()):
        made, lasts = part.get("creation_time"), part.pop("validity_period", None)
        if lasts:
            expires[each] = datetime.fromtimestamp(int(made or 0) + int(lasts), UTC)
    return Functionary(key_id, tuple(subkeys), timeless, expires)


def _signatures(signatures: list[Any]) -> tuple[dict[str, Any], ...]:
    if len(signatures) > _MAX_SIGNATURES:
        raise BadMetadataError(f"{len(signatures):,} signatures, of at most {_MAX_SIGNATURES}")
    return tuple(signatures)


def _artifacts(artifacts: Artifacts) -> Artifacts:
    """An artifact without a SHA-256 could be any: in-toto finds two that have no digest at all to be the same."""
    for path, digests in artifacts.items():
        if not _SHA256.fullmatch(digests.get("sha256", "")):
            raise BadMetadataError(f"no SHA-256 of {path[:200]}")
    return artifacts


def _words(error: Exception) -> str:
    """What a library says, in one bounded line."""
    return f"{type(error).__name__}: {error}".split("\n")[0][:300]
