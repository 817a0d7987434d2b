"""The SHA256SUMS of a trust folder that is being edited, written anew, and what has changed since.

Enters: a trust folder. Leaves: its listing, written whole. Whether what it lists is worth any trust is not asked here.
"""

from pathlib import Path

from sealwright.errors import PolicyError, UndecidedError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import read_bounded, reason
from sealwright.files.writing import write_whole
from sealwright.store.trust_folder import POLICY_FILE, trust_from_files
from sealwright.store.trust_source import read_plain_folder
from sealwright.store.trust_sums import MAX_SUMS_BYTES, SUMS, TELLING, parse_sums, render_sums


def find_unraised(folder: Path) -> tuple[str, ...]:
    """Name the listed files that judge and are others now, if the policy is still the listed one: so is its version.

    Nothing if there is no listing, or none that can be read. Raises PolicyError as `write_sums` does.
    """

    files = read_plain_folder(folder)
    try:
        listed = parse_sums(files.get(SUMS, b""))
    except ValueError:
        return ()
    there = {name: digest_bytes(content) for name, content in files.items() if name not in (SUMS, *TELLING)}
    other = tuple(sorted(name for name, digest in there.items() if listed.get(name) != digest))
    return () if POLICY_FILE in other else other


def write_sums(folder: Path) -> str:
    """Write the SHA256SUMS of the trust folder at `folder`, and return the folder's fingerprint (hex SHA-256).

    Raises PolicyError if what is there is no trust folder, down to a file that does not belong to one.
    """

    files = {name: content for name, content in read_plain_folder(folder).items() if name != SUMS}
    trust = trust_from_files(folder, files)
    listing = render_sums(files)
    if digest_bytes(listing) != trust.fingerprint:
        raise PolicyError(f"{folder} holds a file that its fingerprint would not cover")
    path = folder / SUMS
    try:
        write_whole(path, listing)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error
    return trust.fingerprint


def update_sums(folder: Path, name: str, content: bytes) -> bool:
    """Give a file its new digest in the SHA256SUMS of a trust folder, if there is one; tell whether there is.

    Raises PolicyError if that is no list of digests, and OSError.
    """

    try:
        listed = parse_sums(read_bounded(folder / SUMS, MAX_SUMS_BYTES))
    except FileNotFoundError:
        return False
    except ValueError as error:
        raise PolicyError(f"{folder / SUMS} is {error}", "`sealwright trust sums` writes it anew.") from error
    listed[name] = digest_bytes(content)
    write_whole(folder / SUMS, "".join(f"{listed[each]}  {each}\n" for each in sorted(listed)).encode())
    return True
