"""Which files an index has of the versions whose hashes are pinned, so that the two can be compared.

Enters: dependencies, the name of an index, an environment. Leaves: `KnownFiles`. Asks for one page a project, of those
alone that a hash pins, and downloads no file. https://peps.python.org/pep-0691/, https://peps.python.org/pep-0503/
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sealwright.errors import MissingError, UndecidedError
from sealwright.files.threads import each_in_parallel
from sealwright.model.advisory import is_name
from sealwright.model.dependency import Dependency
from sealwright.model.known_files import KnownFiles
from sealwright.model.version_order import Order, read_order
from sealwright.store.places.network import Network
from sealwright.store.places.place import PlaceName

if TYPE_CHECKING:
    from packaging.version import Version

_THREADS = 8
_HINT = "Try again later, or name another index with --files index:URL."


def list_index_files(entries: Iterable[Dependency], index: PlaceName, environ: Mapping[str, str]) -> KnownFiles:
    """Ask an index for the SHA-256 of every file of each version. Raises UsageError, UndecidedError."""
    from packaging.version import Version

    wanted: dict[tuple[str, Order], Version] = {}
    for entry in entries:
        order = read_order(entry.version)
        if entry.hashes and not entry.problem and is_name(entry.name) and order is not None:
            wanted[entry.name, order] = Version(entry.version)
    network = Network(environ)

    def ask(key: tuple[str, Order]) -> frozenset[str] | None:
        return _digests(network, index, key[0], wanted[key])

    with network.web as web:
        answers = each_in_parallel(ask, wanted, threads=_THREADS, stop=web.stop)
    found = {key: answer for key, answer in zip(wanted, answers, strict=True) if answer is not None}
    return KnownFiles(str(index), found, whole=True)


def _digests(network: Network, index: PlaceName, project: str, version: "Version") -> frozenset[str] | None:
    """The SHA-256 of the files of a version, as far as the index states them; None if it has no such file."""
    try:
        listing = network.index(index, project).list_files(version)
    except MissingError:
        return None
    except UndecidedError as error:
        raise UndecidedError(error.message, _HINT) from error  # a place of an audit has another option
    if listing.twice:
        raise UndecidedError(f"{index} says two things of {listing.twice[0]}", _HINT)
    return frozenset(offer.sha256 for offer in listing.offers if offer.sha256)
