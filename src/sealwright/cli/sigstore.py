"""How `sealwright seal` signs with Sigstore: the options, the environment of a CI job, the person at the terminal."""

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.build_facts import BuildOptions, collect_facts
from sealwright.cli.world import say, show_line
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealwright.jobs.seal.task import Announcement, SigstoreMeans
    from sealwright.model.buildfacts import BuildFacts
    from sealwright.sign.identity import Identity
    from sealwright.sign.sigstore import Services
    from sealwright.store.trust_folder import TrustFolder

_MAX_CONFIG_BYTES = 8 * 1024 * 1024
_MOST_SHOWN = 20


def sigstore_means(
    trust: "TrustFolder", token: str | None, config: Path | None, attestations: Path | None, *, yes: bool,
    build: BuildOptions,
) -> "SigstoreMeans":  # fmt: skip
    """Return how to sign with Sigstore in this environment; nothing is read or asked before it is needed."""
    from sealwright.jobs.seal.task import SigstoreMeans

    services = cache(lambda: _services(trust, config))
    return SigstoreMeans(
        services=services,
        identity=lambda services: _identity(services, token),
        renew=lambda: None if token else _ambient(),
        confirm=_confirm(yes=yes),
        attestations=attestations,
        build=lambda tag, identity: collect_facts(tag, identity, build),
        allow=frozenset({"doubts"} if build.allow_doubts else ()),
        show=_show,
    )


def remember_doubts(means: "SigstoreMeans") -> "tuple[SigstoreMeans, list[str]]":
    """Return the same means, and the list that what speaks against the build will be in: setting it aside is logged."""
    doubts: list[str] = []
    collect = means.build
    if collect is None:
        return means, doubts

    def build(tag: str, identity: str) -> "BuildFacts":
        facts = collect(tag, identity)
        doubts.extend(facts.doubts)
        return facts

    return means._replace(build=build), doubts


def _services(trust: "TrustFolder", config: Path | None) -> "Services":
    """The instance whose root the policy trusts, or the one that was named."""
    from sealwright.files.reading import read_named
    from sealwright.sign.sigstore import Services
    from sealwright.store.trusted_root import INSTANCES, fetch_trust_config

    if config is not None:
        return Services(str(config), read_named(config, _MAX_CONFIG_BYTES, "the trust config"))
    root = trust.policy.sigstore_root
    if root not in INSTANCES:
        raise UsageError(
            f"the policy trusts the Sigstore of {root}, and nothing says where that one signs",
            "Name its client trust config with --trust-config FILE.",
        )
    return Services(root, fetch_trust_config(INSTANCES[root]))


def _identity(services: "Callable[[], Services]", token: str | None) -> "Identity | None":
    from sealwright.sign.identity import MAX_TOKEN_BYTES, interactive_identity, read_identity
    from sealwright.sign.sigstore import oidc_issuer_of

    if token is not None:
        return read_identity(_read_token(token, MAX_TOKEN_BYTES))
    if (found := _ambient()) is not None:
        return found
    if sys.stdin.isatty() and sys.stderr.isatty():
        return interactive_identity(oidc_issuer_of(services()))
    return None


def _ambient() -> "Identity | None":
    from sealwright.sign.identity import ambient_identity

    return ambient_identity()


def _read_token(source: str, limit: int) -> str:
    from sealwright.cli.world import read_stdin
    from sealwright.files.reading import read_named

    content = read_stdin(limit, "a token") if source == "-" else read_named(Path(source), limit, "the identity token")
    try:
        return content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise UsageError("the identity token is not ASCII", "It has three parts, with a dot between them.") from None


def _confirm(*, yes: bool) -> "Callable[[Announcement], None]":
    def confirm(announced: "Announcement") -> None:
        lines = [
            f"Signing as {announced.identity}",
            f"        (as {announced.oidc_issuer} says)",
            f"with Sigstore ({announced.instance}), whose log is public and never forgets:",
            *(f"    {name}" for name in announced.subjects[:_MOST_SHOWN]),
        ]
        more = len(announced.subjects) - _MOST_SHOWN
        lines += [f"    and {more} more"] if more > 0 else []
        for line in lines:
            say(line, sys.stderr)
        if yes:
            return
        if not sys.stdin.isatty():
            raise UsageError("nobody is here to confirm that this may be published", "In CI, say so with --yes.")
        click.confirm("Publish these entries?", abort=True, err=True)

    return confirm


def _show(done: int, total: int) -> None:
    show_line(f"  signed {done} of {total}" if done < total else "")
