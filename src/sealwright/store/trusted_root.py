"""Where the roots of trust of Sigstore come from: with sigstore-python, from a file, or fresh from the instance itself.

Enters: the name of an instance, or a file. Leaves: bytes of JSON. Never reads a cache that somebody else may have
written: the shipped files are pinned by the installed sigstore-python, and a refresh starts from the shipped TUF root
in a private folder (https://theupdateframework.github.io/specification/latest/).
"""

from pathlib import Path

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.private import base_for, private_folder
from sealwright.files.reading import read_named
from sealwright.files.threads import within
from sealwright.model.record import Record
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.store.trust_folder import TrustFolder

MAX_ROOT_BYTES = 4 * 1024 * 1024
_LONGEST_REFRESH = 180  # seconds for some ten small files
_TRUSTED_ROOT, _SIGNING_CONFIG, _TUF_ROOT = "trusted_root.json", "signing_config.v0.2.json", "root.json"


class Instance(Record):
    """One public Sigstore instance, and the URL of its TUF repository."""

    name: str
    url: str


INSTANCES = {
    "production": Instance("production", "https://tuf-repo-cdn.sigstore.dev"),
    "staging": Instance("staging", "https://tuf-repo-cdn.sigstage.dev"),
}


def read_root(trust: TrustFolder, *, refresh: bool = False) -> TrustedRootFile:
    """Return the trusted root that a policy names. Raises UsageError and UndecidedError.

    `refresh` asks the instance for its present root, and is for the public instances alone: a root that
    lies in the trust folder changes when that folder does.
    """
    name = trust.policy.sigstore_root
    if name not in INSTANCES:
        if refresh:
            raise UsageError(
                f"{trust.path} names its own trusted root, {name}, which only a new trust folder can refresh",
                "Leave --refresh-trust out.",
            )
        return TrustedRootFile(f"{name}, beside the policy", trust.others[name])
    return refreshed_root(INSTANCES[name]) if refresh else shipped_root(name)


def read_root_file(path: Path) -> TrustedRootFile:
    """Read a trusted root that a person named. Raises UsageError and UndecidedError."""
    return TrustedRootFile(str(path), read_named(path, MAX_ROOT_BYTES, "the trusted root"))


def shipped_root(name: str = "production") -> TrustedRootFile:
    """Return the trusted root of a public instance as it came with sigstore-python."""
    return TrustedRootFile(f"{name}, as it came with sigstore-python", shipped(INSTANCES[name], _TRUSTED_ROOT))


def shipped(instance: Instance, file: str) -> bytes:
    """Read one of the files that sigstore-python ships for a public instance. Raises UsageError if it ships none."""
    from importlib.resources import files
    from urllib.parse import quote

    source = files("sigstore._store").joinpath(quote(instance.url, safe="")).joinpath(file)
    try:
        return source.read_bytes()
    except OSError as error:
        raise UsageError(
            f"this sigstore-python ships no {file} of {instance.name}", "Install a newer sigstore, or name a root."
        ) from error


def refreshed_root(instance: Instance) -> TrustedRootFile:
    """Fetch an instance's present trusted root by TUF. Raises UndecidedError if it cannot be had."""
    found = fetch_targets(instance.url, shipped(instance, _TUF_ROOT), (_TRUSTED_ROOT,))
    return TrustedRootFile(f"{instance.name}, refreshed now", found[_TRUSTED_ROOT])


def fetch_trust_config(instance: Instance) -> bytes:
    """Fetch what a signer needs, as a ClientTrustConfig (JSON): the trusted root and where the services are, by TUF."""
    found = fetch_targets(instance.url, shipped(instance, _TUF_ROOT), (_TRUSTED_ROOT, _SIGNING_CONFIG))
    kind = b'"mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"'
    return b'{%s, "trustedRoot": %s, "signingConfig": %s}' % (kind, found[_TRUSTED_ROOT], found[_SIGNING_CONFIG])


def fetch_targets(
    url: str, root: bytes, targets: tuple[str, ...], *, seconds: float = _LONGEST_REFRESH
) -> dict[str, bytes]:
    """Fetch targets of a TUF repository within so many seconds, trusting nothing but `root`, its root metadata.

    Raises UndecidedError for whatever goes wrong: the network, a signature, an expired repository.
    """
    try:
        with private_folder(base_for(0), "sealwright-tuf-") as folder:
            return within(seconds, lambda: _fetch(url, root, targets, folder))
    except Exception as error:  # tuf, the network, and threads: whatever it was, nothing was refreshed
        words = (str(error).strip().splitlines() or [""])[0][:200] or type(error).__name__
        raise UndecidedError(
            f"the roots of trust at {url} could not be refreshed: {words}",
            "Try again later, or go without the refresh: the roots that came with sigstore-python are then used.",
        ) from error


def _fetch(url: str, root: bytes, targets: tuple[str, ...], folder: Path) -> dict[str, bytes]:
    """Fetch them into `folder`, which is nothing but python-tuf's scratch; root metadata of any age may begin."""
    from tuf.ngclient.config import UpdaterConfig
    from tuf.ngclient.updater import Updater

    found: dict[str, bytes] = {}
    config = UpdaterConfig(root_max_length=MAX_ROOT_BYTES, targets_max_length=MAX_ROOT_BYTES)
    updater = Updater(str(folder), f"{url}/", str(folder), f"{url}/targets/", config=config, bootstrap=root)
    updater.refresh()
    for name in targets:
        info = updater.get_targetinfo(name)
        if info is None or info.length > MAX_ROOT_BYTES:
            raise ValueError(f"it holds no {name} of a size that is read")
        found[name] = Path(updater.download_target(info)).read_bytes()
    return found
