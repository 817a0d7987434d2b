"""A release, fetched from where it is offered: bytes from one place, evidence perhaps from another, joined by digest.

Enters: listings, and the way to the network. Leaves: a `Release` in a private folder, each file fetched once and hashed
while it arrived, with what only the job that fetched it knows (`Fetched`). Decides nothing: where what a place says and
what it sends are two things, both are handed on to be judged.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import MissingError, UndecidedError
from sealwright.files.digest import Digest, Progress, digest_bytes, digest_descriptor, no_progress
from sealwright.files.private import base_for, private_folder
from sealwright.files.reading import UnfitFileError, open_regular, read_bounded, reason
from sealwright.files.threads import each_in_parallel
from sealwright.files.web import Web
from sealwright.files.web_answer import AbsentError, OversizeError
from sealwright.model.artifact import MAX_ARTIFACT_BYTES, looks_released
from sealwright.model.offer import Offer
from sealwright.model.release import (
    CHECKSUMS,
    MAX_ATTESTATIONS_BYTES,
    Disagreement,
    Fetched,
    Oddity,
    Release,
    ReleaseFile,
    Yanked,
)
from sealwright.store.places.fetch_plan import Offered, Plan, build_plan, is_sbom
from sealwright.store.places.place import Rules
from sealwright.store.release_folder import (
    MAX_EVIDENCE_BYTES,
    PRIVATE_PREFIX,
    check_room,
    excess_of,
    limit_of,
)

_THREADS = 10
_UNKNOWN = 64 * 1024**2  # the size that is expected of an artifact of which the place states none
_SMALL = 256 * 1024
_OTHER = "other"  # no file that is fetched has that name: it looks not released, and is no evidence


class _Taken(NamedTuple):
    """What came of fetching one file; `disagreement` if it is another than its place says."""

    file: ReleaseFile | None = None
    oddity: Oddity | None = None
    disagreement: Disagreement | None = None


class _AllTaken(NamedTuple):
    """What came of a plan's `fetch`, `withdrawn` and `compared`, in that order."""

    fetched: list[_Taken]
    withdrawn: list[_Taken]
    compared: list[_Taken]

    def each(self) -> list[_Taken]:
        return [*self.fetched, *self.withdrawn, *self.compared]


@contextlib.contextmanager
def fetched_release(
    offered: Offered, web: Web | None, rules: Rules, version: str, *, progress: Progress = no_progress
) -> Iterator[Release]:
    """Fetch what a verification reads into a private folder, hashed on the way, and remove it at the end.

    Raises MissingError if nothing fits, and UndecidedError if a place does not answer or there is no room.
    """
    plan = build_plan(offered, rules)
    wanted = [offer for offer in plan.fetch if looks_released(offer.name)]
    if all(is_sbom(offer.name) for offer in wanted):  # nobody installs an SBOM, so one alone is no release
        raise _nothing(offered.artifacts.place, plan, version)
    too_much = excess_of({offer.name: offer.size or 0 for offer in plan.fetch})
    if too_much:
        raise UndecidedError(f"{offered.artifacts.place} offers {too_much}", "No release is that large.")
    everything = [*plan.fetch, *(offer for _, offer in plan.withdrawn), *plan.compared]
    with private_folder(base_for(sum(map(_expected, everything))), PRIVATE_PREFIX) as private:
        check_room(private, sum(offer.size or 0 for offer in everything))
        try:
            taken = _take_all(plan, _Taker(web, progress), private)
        finally:
            progress("", 0, 0)
        yield _join(offered, rules, plan, taken)


def _nothing(place: str, plan: Plan, version: str) -> MissingError:
    if not plan.left:
        return MissingError(f"{place} has no wheel and no sdist of {version}", "Name another place with --from.")
    hint = "Add --all to verify what is there for others."
    return MissingError(f"{place} has {version}, but nothing for this platform and Python", hint)


def _expected(offer: Offer) -> int:
    if offer.size is not None:
        return offer.size
    return _UNKNOWN if looks_released(offer.name) else _SMALL


def _take_all(plan: Plan, taker: "_Taker", private: Path) -> _AllTaken:
    """Fetch side by side, large files first: the last one to come should not be the largest."""
    (private / _OTHER).mkdir(mode=0o700)
    here = [*plan.fetch, *(offer for _, offer in plan.withdrawn)]
    jobs = [(offer, private) for offer in here] + [(offer, private / _OTHER) for offer in plan.compared]
    order = sorted(range(len(jobs)), key=lambda number: -_expected(jobs[number][0]))
    found = each_in_parallel(lambda number: taker.take(*jobs[number]), order, threads=_THREADS, stop=taker.stop)
    by_number = dict(zip(order, found, strict=True))
    everything = [by_number[number] for number in range(len(jobs))]
    count = len(plan.fetch)
    return _AllTaken(everything[:count], everything[count : len(here)], everything[len(here) :])


class _Taker:
    """Takes one file after the other; safe to use from several threads."""

    def __init__(self, web: Web | None, progress: Progress) -> None:
        self._web = web
        self._progress = progress
        self._lock = threading.Lock()
        self._room = MAX_EVIDENCE_BYTES

    def stop(self) -> None:
        """End what is under way. Copying a file of this machine waits for nobody."""
        if self._web:
            self._web.stop()

    def take(self, offer: Offer, folder: Path) -> _Taken:
        """Fetch one file into `folder`, or evidence into memory."""
        released = looks_released(offer.name)
        allowed = MAX_ARTIFACT_BYTES if released else min(limit_of(offer.name), MAX_ATTESTATIONS_BYTES)
        most = allowed if offer.size is None else min(allowed, offer.size)
        path = folder / offer.name
        try:
            file = self._take_artifact(offer, path, most) if released else self._take_evidence(offer, path, most)
        except AbsentError as error:
            if not released:
                return _Taken()  # as though it were not offered: the policy says whether it must be there
            raise MissingError(
                f"{offer.name} is offered, but it is not there ({error})", "Name another place with --from."
            ) from error
        except (OversizeError, UnfitFileError) as error:
            return _Taken(oddity=Oddity(offer.name, str(error)))
        except OSError as error:
            raise UndecidedError(
                f"{offer.name} cannot be kept: {reason(error)}", "Set TMPDIR to a folder with room that is writable."
            ) from error
        return _Taken(file, disagreement=_compare_with_said(offer, file))

    def _take_artifact(self, offer: Offer, path: Path, most: int) -> ReleaseFile:
        target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            found = self._copy(offer, target, most) if offer.path else self._download(offer, target, most)
        finally:
            os.close(target)
        return ReleaseFile(offer.name, found.size, found.sha256, path)

    def _download(self, offer: Offer, target: int, most: int) -> Digest:
        def report(done: int) -> None:
            self._progress(offer.name, done, offer.size or 0)

        return self._reached().download(offer.url, target, most, accept=offer.accept, report=report)

    def _copy(self, offer: Offer, target: int, most: int) -> Digest:
        source = open_regular(offer.path)
        try:
            return digest_descriptor(source, most, copy_to=target, name=offer.name, progress=self._progress)
        except ValueError as error:
            grew = most < MAX_ARTIFACT_BYTES  # it was to have the size that it had before
            raise UnfitFileError("a file that grew while it was read" if grew else str(error)) from error
        finally:
            os.close(source)

    def _take_evidence(self, offer: Offer, path: Path, most: int) -> ReleaseFile:
        content = (
            read_bounded(offer.path, most)
            if offer.path
            else self._reached().read(offer.url, most, accept=offer.accept).content
        )
        with self._lock:
            self._room -= len(content)
            if self._room < 0:
                raise UndecidedError(f"there are more than {MAX_EVIDENCE_BYTES:,} bytes of evidence")
        if offer.name == CHECKSUMS:  # it is signed, so gpg has to read it, too
            path.write_bytes(content)
        return ReleaseFile(offer.name, len(content), digest_bytes(content), path, content)

    def _reached(self) -> Web:
        if self._web is None:
            raise UndecidedError("the network is not to be used")
        return self._web


def _is_for_anybody(offer: Offer) -> bool:
    """Whether its address alone gets it. A query could hold a secret, and a special `accept` goes with a token."""
    return bool(offer.url) and "?" not in offer.url and offer.accept == Offer._field_defaults["accept"]


def _compare_with_said(offer: Offer, file: ReleaseFile) -> Disagreement | None:
    """What the place says of a file in its listing, and what it sends."""
    if offer.sha256 and offer.sha256 != file.sha256:
        return Disagreement(offer.name, "", f"sha256:{offer.sha256}, as its place says", f"sha256:{file.sha256}")
    if offer.size is not None and offer.size != file.size:
        return Disagreement(offer.name, "", f"{offer.size:,} bytes, as its place says", f"{file.size:,} bytes")
    return None


def _join(offered: Offered, rules: Rules, plan: Plan, taken: _AllTaken) -> Release:
    files = [each.file for each in taken.fetched if each.file]
    withdrawn = [
        (place, each.file) for (place, _), each in zip(plan.withdrawn, taken.withdrawn, strict=True) if each.file
    ]
    listings = offered.listings()
    compared, alone, differences = _compare(offered, files, taken.compared)
    differences = [each.disagreement for each in taken.each() if each.disagreement] + differences
    differences += [
        Disagreement(name, listing.place, "one file of that name", "two, which differ")
        for listing in listings
        for name in dict.fromkeys(listing.twice)
    ]
    odd = [each.oddity for each in taken.each() if each.oddity]
    odd += [oddity for listing in listings for oddity in listing.oddities]
    facts = Fetched(
        tuple(listing.place for listing in listings),
        plan.left,
        plan.elsewhere,
        tuple(differences),
        tuple(Yanked(offer.name, offer.yanked) for offer in plan.fetch if offer.yanked is not None),
        rules.allow_yanked,
        compared,
        alone,
        offered.empty,
        tuple((offer.name, offer.metadata_sha256) for offer in plan.fetch if offer.metadata_sha256),
        tuple((offer.name, offer.url) for offer in plan.fetch if _is_for_anybody(offer)),
        tuple((place, file.content) for place, file in withdrawn),
        rules.only,
    )
    files += [file for _, file in withdrawn[:1]]  # one of that name is all that a folder (a kit) can hold
    return Release(" and ".join(facts.places), tuple(files), tuple(odd), plan.uncovered, facts)


def _compare(
    offered: Offered, files: list[ReleaseFile], others: list[_Taken]
) -> tuple[tuple[str, ...], tuple[str, ...], list[Disagreement]]:
    """Which artifacts are the same in the other place, which it lacks, and which differ there."""
    compared, alone, differences = [], [], []
    if offered.also:
        there = {each.file.name: each.file for each in others if each.file}
        for file in files:
            if not looks_released(file.name) or is_sbom(file.name):
                continue
            other = there.get(file.name)
            if other is None:
                alone.append(file.name)
            elif other.sha256 != file.sha256:
                expected = f"the bytes that {offered.also.place} has (sha256:{other.sha256})"
                differences.append(Disagreement(file.name, offered.also.place, expected, f"sha256:{file.sha256}"))
            else:
                compared.append(file.name)
    return tuple(compared), tuple(alone), differences
