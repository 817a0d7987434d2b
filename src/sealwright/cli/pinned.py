"""By which policy an end user's verification judges: the one they named, or the pin of the project."""

from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.cli.trusted import Trusted
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.cli.first_use import FirstUse
    from sealwright.jobs.verify.release import Asked

_NO_PIN = (
    "Pin the project's trust once, from another place than the release: sealwright trust pin FOLDER|URL|git+URL@COMMIT "
    "(docs/trust.md), or name its policy with --policy FILE. Where neither is to be had: "
    "verify-release NAME==VERSION --first-use shows who published it, and remembers them."
)


def find_trust(policy: Path | None, asked: "Asked", release: Path | None, first: "FirstUse | None" = None) -> Trusted:
    """Return what judges. Raises UsageError if there is neither a policy nor a pin, or more pins than one.

    With `first`, a project without a pin begins with the trust in nobody.
    """
    from sealwright.cli.world import data_folder
    from sealwright.store.trust_folder import read_trust_folder

    data = data_folder()
    if policy is not None:
        if first is not None:
            raise UsageError("--policy says whom to trust, so there is no first use", "Leave --first-use out.")
        return Trusted(read_trust_folder(policy, release), None, data)
    from sealwright.store.pins import read_pin, trust_of

    if first is not None and asked.project is None:
        raise UsageError("--first-use needs the project's name", "For instance: verify-release sampleproject==4.0.0")
    name = asked.project or _only_pin(data)
    pin = read_pin(data, name)
    if pin is None and first is not None:
        from sealwright.cli.first_use import begin

        return begin(first, name, data)
    if pin is None:
        raise UsageError(f"there is no policy to judge {name} by: it is not pinned", _say_meant(data, name))
    trusted = Trusted(trust_of(data, pin), pin, data)
    if first is not None:
        from sealwright.cli.first_use import confirm

        confirm(first, trusted)
    return trusted


def _say_meant(data: Path, name: str) -> str:
    """What to do without a pin. A name that is nearly a pinned one may be a trap: it is not helped on."""
    from sealwright.cli.mistyped import near
    from sealwright.store.pins import list_pins

    if other := near(name, list_pins(data)):
        return f"Pinned is {other}: did you mean that? Names that are nearly another's are how false packages get in."
    return _NO_PIN


def _only_pin(data: Path) -> str:
    from sealwright.store.pins import list_pins

    names = list_pins(data)
    if not names:
        raise UsageError("there is no policy to judge the release by, and no project is pinned", _NO_PIN)
    if len(names) > 1:
        raise UsageError(
            f"{len(names)} projects are pinned: {', '.join(names[:10])}",
            "Say which one: verify-release NAME==VERSION, or --project NAME.",
        )
    return names[0]
