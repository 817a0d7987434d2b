"""A trust folder in words, so that a person can decide whether to pin it; what a new one changes; the list of pins.

Enters: policies, pins, changes, the time. Leaves: text. Whatever came from outside goes through `plain`.
"""

import json
from datetime import datetime
from typing import Protocol

from sealwright.model.pin import Pin
from sealwright.model.policy import AttestationRequirement, Policy, SigstoreIdentity
from sealwright.model.policy_changes import Change, say_identity
from sealwright.model.publisher import Publisher, describe, say
from sealwright.render.text import PLAIN, Style, entry, plain


class TrustedPublisher(Protocol):
    """What has a policy and a fingerprint: the trust in a publisher."""

    @property
    def policy(self) -> Policy:
        """The policy that it was made into."""

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex."""


_PARTS = 18
_ATTESTED = {
    "release": "an attestation that names every file of the release",
    "provenance": "SLSA provenance",
    "sbom": "an attested SBOM",
    "audit": "an attested audit of the dependencies",
}


def render_policy(policy: Policy, fingerprint: str, source: str, now: datetime, style: Style = PLAIN) -> str:
    """Say in words who may sign, how many of them, what is required, and until when."""
    lines = [f"The trust in {plain(policy.project)}, policy version {policy.version}"]
    lines += entry("comes from", [source], style)
    lines += entry("repository", [policy.repository], style)
    lines += entry("may sign", _signers(policy), style)
    lines += entry("required", _required(policy), style)
    if policy.sigstore_identities():
        lines += entry("root", [f"Sigstore: {policy.sigstore_root}"], style)
    days = (policy.expires - now).days
    lines += entry("until", [f"{policy.expires:%Y-%m-%d} ({days} days)"], style)
    lines += entry("fingerprint", [fingerprint], style)
    return "\n".join(lines) + "\n"


def render_publisher(trust: TrustedPublisher, publisher: Publisher, *, identity: str = "") -> str:
    """Say who was found to publish a project, or was accepted; `identity` is that of one release, with its ref."""
    said = [*describe(publisher), *([("this release", identity)] if identity else [])]
    root = trust.policy.sigstore_root
    said += [("root of Sigstore", root if root == "production" else f"{root}, which is NOT the public one")]
    lines = [f"  {name:<{_PARTS}}{plain(value)}" for name, value in said]
    return "\n".join([*lines, f"  fingerprint {trust.fingerprint}"]) + "\n"


def _signers(policy: Policy) -> list[str]:
    lines = []
    for signer in policy.signers:
        lines.append(signer.name)
        for key in signer.openpgp:
            until = f", until version {key.until_version}" if key.until_version else ""
            lines.append(f"  OpenPGP {key.fingerprint}{until}")
        lines += [f"  Sigstore {_identity(identity)}" for identity in signer.sigstore]
    return lines


def _identity(identity: SigstoreIdentity) -> str:
    claims = [f"{claim.key} {claim.value.text}" for claim in identity.claims]
    return "; ".join([say_identity(identity), *claims])


def _required(policy: Policy) -> list[str]:
    require = policy.require
    needed, listed = require.signers, len(policy.signers)
    who = f"{needed} of these {listed}" if needed < listed else "all of these" if listed > 1 else "this signer"
    lines = [f"{who} must vouch for every file"]
    lines += [f"at least {require.openpgp} of them with OpenPGP"] if require.openpgp else []
    lines += [f"at least {require.sigstore} of them with Sigstore"] if require.sigstore else []
    for key, words in _ATTESTED.items():
        requirement: AttestationRequirement | None = getattr(require, key)
        if requirement:
            lines.append(f"{words}, by {' or '.join(requirement.signers)}{_more(requirement)}")
    return lines + (["an in-toto layout of the build, and a link of each step"] if require.layout else [])


def _more(requirement: AttestationRequirement) -> str:
    more = [f"level {requirement.level}"] if requirement.level else []
    more += [f"built by {requirement.builder.text}"] if requirement.builder else []
    more += [f"at most {requirement.max_age_days} days old"] if requirement.max_age_days else []
    return f" ({', '.join(more)})" if more else ""


def render_changes(changes: tuple[Change, ...], before: str, style: Style = PLAIN) -> str:
    """Say what a new policy changes, what is weaker first; `before` is the fingerprint of the old one."""
    lines = [f"What changes against the pin, whose fingerprint is {before or 'none: it was pinned on first use'}:"]
    for change in changes:
        lines += entry("WEAKER" if change.weaker else "", [change.words], style)
    return "\n".join(lines if changes else [*lines, "  nothing that judges a release"]) + "\n"


def render_pins(pins: tuple[tuple[Pin, Policy], ...], now: datetime) -> str:
    """List pins, one a line: project, version, until when, since when, fingerprint."""
    lines = []
    for pin, policy in pins:
        if publisher := policy.publisher():
            lines += [f"{plain(pin.project)}  no policy: trusted on first use, {pin.since:%Y-%m-%d}"]
            lines += [f"  {plain(say(publisher))}", f"  from {plain(pin.source)}"]
            continue
        until = f"version {policy.version}, until {policy.expires:%Y-%m-%d}"
        expired = ", EXPIRED" if policy.expires <= now else ""
        since = f"pinned {pin.since:%Y-%m-%d}"
        lines += [f"{plain(pin.project)}  {until}{expired}, {since}", f"  from {plain(pin.source)}"]
        lines += [f"  fingerprint {pin.fingerprint}"]
    return "".join(f"{line}\n" for line in lines)


def render_pins_json(pins: tuple[tuple[Pin, Policy], ...]) -> str:
    """The same as a JSON object, in ASCII; a first use has no fingerprint, version or end, but a publisher."""
    listed = [
        {
            "project": pin.project,
            "kind": pin.kind.value,
            "since": f"{pin.since:%Y-%m-%dT%H:%M:%SZ}",
            "source": pin.source,
            "fingerprint": pin.fingerprint,
            "version": policy.version or None,
            "expires": f"{policy.expires:%Y-%m-%dT%H:%M:%SZ}" if policy.version else None,
            "publisher": dict(pin.publisher) or None,
        }
        for pin, policy in pins
    ]
    return json.dumps({"schema": 1, "pins": listed}, indent=2, ensure_ascii=True) + "\n"
