"""The policy's OpenPGP keys, taken into a private GNUPGHOME, and held against what the policy says of them.

Enters: key files, and the fingerprints that the policy lists. Leaves: keys by fingerprint. A key file that is not what
the policy says is a PolicyError: nothing that gpg says with such keys counts.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cache

from sealwright.errors import PolicyError, UndecidedError
from sealwright.gnupg.home import HalfSaidError, Home, at_time, private_home
from sealwright.gnupg.key_file import refuse_lost
from sealwright.gnupg.listing import LIST_KEYS, Key, count_secret_keys, list_keys, read_listing
from sealwright.model.policy import OpenPGPKey, Policy
from sealwright.model.record import Record
from sealwright.model.trust import Trust

_EXPORT_AGAIN = "Export each key again: gpg --armor --export FINGERPRINT > FINGERPRINT.asc"


class Bench(Record):
    """A private GNUPGHOME that is being filled with the policy's keys.

    `filled` waits for that, and has them listed; what it returns waits for the list, by fingerprint. Both raise as
    `import_keys` does.
    """

    policy: Policy
    now: datetime
    home: Home
    filled: Callable[[], Callable[[], dict[str, Key]]]


def prepare_gpg(trust: Trust, now: datetime, gpg: str | None) -> AbstractContextManager[Bench | None]:
    """Have gpg, if there is one, take in the policy's keys beside the body, which can be the reading of the release."""
    return open_bench(trust.policy, trust.keys, now, gpg) if gpg else contextlib.nullcontext()


@contextlib.contextmanager
def open_bench(policy: Policy, keys: dict[str, bytes], now: datetime, gpg: str) -> Iterator[Bench]:
    """Import the policy's keys beside the body; `keys` are the key files by fingerprint, `gpg` is the program.

    Raises UndecidedError if gpg cannot be run.
    """
    wanted = policy.openpgp_keys()
    with private_home(gpg) as home, start_import(home, wanted, keys, now) as imported, contextlib.ExitStack() as kept:

        @cache
        def filled() -> Callable[[], dict[str, Key]]:
            imported()
            return kept.enter_context(start_listing(home, wanted, keys, now))

        yield Bench(policy, now, home, filled)


def import_keys(home: Home, wanted: tuple[OpenPGPKey, ...], keys: dict[str, bytes], now: datetime) -> dict[str, Key]:
    """Import the policy's keys, and nothing else, and return every key and subkey by fingerprint.

    Raises PolicyError for a key file that holds no usable key, another one, or more than one.
    """
    if not wanted:
        return {}
    with start_import(home, wanted, keys, now) as filled:
        filled()
    return _hold_against(wanted, list_keys(home, *at_time(now)), keys)


@contextlib.contextmanager
def start_import(
    home: Home, wanted: tuple[OpenPGPKey, ...], keys: dict[str, bytes], now: datetime
) -> Iterator[Callable[[], None]]:
    """Import the policy's keys beside the body; what is yielded waits for that. It raises PolicyError for a secret key
    and for what gpg passes over, and UndecidedError if gpg ended before it had read them all.

    Whether they are what the policy says is for `_hold_against`.
    """
    if not wanted:
        yield lambda: None
        return
    files = []
    for key in wanted:
        file = home.folder / f"{key.fingerprint}.asc"
        file.write_bytes(keys[key.fingerprint])
        files.append(file.name)
    arguments = [*at_time(now), "--batch", "--status-fd", "1", "--import", *files]
    with home.start(arguments, folder=home.folder, whole=True) as said:

        def filled() -> None:
            try:
                output, whole = said(), True
            except HalfSaidError as error:
                output, whole = error.said, False
            if count_secret_keys(output):
                raise PolicyError(
                    "a key file beside the policy holds a SECRET key",
                    "Take it out of the folder and out of the history, and treat the key as stolen.",
                )
            if b"[GNUPG:] IMPORT_RES " not in output:  # its last line: what was not read may be a revocation
                raise UndecidedError("gpg did not finish the import of the policy's keys", "Run it again.")
            if not whole:  # a revocation before its key, or one that is cut off: gpg passes it over, and exits with 2
                raise PolicyError(
                    "gpg could not take in all that the key files beside the policy hold",
                    f"It may be a revocation. {_EXPORT_AGAIN}",
                )

        yield filled


def _hold_against(wanted: tuple[OpenPGPKey, ...], found: tuple[Key, ...], files: dict[str, bytes]) -> dict[str, Key]:
    """Return the keys of a home by fingerprint. Raises PolicyError unless they are those of the policy, and whole."""
    _refuse_shared_keys(found)
    own = {key.fingerprint for key in found if key.bound and key.fingerprint == key.primary}
    known = {key.fingerprint: key for key in found if key.bound and key.primary in own}
    primaries = {key.primary for key in found}
    expected = {key.fingerprint for key in wanted}
    for fingerprint in sorted(expected - own):
        raise PolicyError(
            f"{fingerprint}.asc holds no OpenPGP key of that fingerprint that gpg can use",
            f"Export it again: gpg --armor --export {fingerprint} > {fingerprint}.asc (a key that is not yet valid by "
            "this machine's clock, or whose self-signature was made with SHA-1, is not usable).",
        )
    for fingerprint in sorted(primaries - expected):
        raise PolicyError(
            f"a key file beside the policy also holds the key {fingerprint}, which the policy does not list"
        )
    for fingerprint in sorted(expected):
        own_parts = (key for key in found if key.primary == fingerprint)
        refuse_lost(files[fingerprint], own_parts, f"{fingerprint}.asc")
    return known


@contextlib.contextmanager
def start_listing(
    home: Home, wanted: tuple[OpenPGPKey, ...], keys: dict[str, bytes], now: datetime
) -> Iterator[Callable[[], dict[str, Key]]]:
    """List the keys beside the body; what is yielded waits for that. It raises PolicyError as `import_keys` does."""
    if not wanted:
        yield dict
        return
    with home.start([*at_time(now), *LIST_KEYS], whole=True) as said:
        yield cache(lambda: _hold_against(wanted, read_listing(said()), keys))


def _refuse_shared_keys(keys: tuple[Key, ...]) -> None:
    """The same key material under two primary keys would let one person count as two signers."""
    owners: dict[str, str] = {}
    for key in keys:
        for mark in (key.fingerprint, key.keygrip):
            if mark and owners.setdefault(mark, key.primary) != key.primary:
                raise PolicyError(
                    f"the keys {owners[mark]} and {key.primary} share key material",
                    "One person would count as two signers: give each their own keys.",
                )
