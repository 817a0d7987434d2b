"""The result of an audit: what became of each dependency, and the one exit code of all.

Enters: findings. Leaves: `AuditResult`. Coverage is part of the result: a dependency that was not audited is never
clean, and no dependencies at all are no answer. The exit code is derived here and nowhere else (docs/exit-codes.md).
"""

from datetime import datetime
from enum import Enum
from functools import cached_property

from sealwright.errors import ExitCode, gravest
from sealwright.model.advisory import MALICIOUS
from sealwright.model.dependency import Dependency, Product
from sealwright.model.index_facts import IndexFacts
from sealwright.model.record import Record
from sealwright.model.severity import Score


class Coverage(Enum):
    """What became of a dependency."""

    CLEAN = "clean"
    VULNERABLE = "vulnerable"
    IGNORED = "ignored"
    NOT_AUDITED = "not-audited"


CLEAN, NOT_AUDITED = Coverage.CLEAN, Coverage.NOT_AUDITED  # quicker than asking the class, thousands of times
_CODES = {
    Coverage.CLEAN: ExitCode.DONE,
    Coverage.IGNORED: ExitCode.DONE,
    Coverage.VULNERABLE: ExitCode.VULNERABLE,
    Coverage.NOT_AUDITED: ExitCode.UNAUDITED,
}


class Ignore(Record):
    """A finding that the project has decided to live with until `expires` (UTC)."""

    id: str
    package: str
    reason: str
    owner: str
    expires: datetime

    def counts(self, now: datetime) -> bool:
        """Tell whether it is still in force."""
        return now < self.expires


class Finding(Record):
    """What advisories say of one dependency; those that are aliases of each other are one finding.

    `ids` begins with the id to show; `fixed` is the lowest later version in which this is mended, or empty. `ignored`
    says by what the finding is set aside, empty if it counts; `source` which service said it, empty for the index.
    """

    ids: tuple[str, ...]
    summary: str
    score: Score | None
    fixed: str
    published: str = ""
    ignored: str = ""
    source: str = ""

    @property
    def malicious(self) -> bool:
        """Whether the package was made to harm: then nothing may set the finding aside."""
        return any(name.startswith(MALICIOUS) for name in self.ids)

    @property
    def counts(self) -> bool:
        """Whether it makes its dependency vulnerable."""
        return not self.ignored


UNHEARD_VERSION = "no advisory names this version"


class Audited(Record):
    """One dependency and what became of it. `fix` is the lowest later version without any known finding, or empty.

    `reasons` says what was not audited; `unheard` that no advisory names the package, or this version of it.
    """

    dependency: Dependency
    findings: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()
    fix: str = ""
    unheard: str = ""

    @property
    def version_unheard(self) -> bool:
        """Whether advisories name the package, but none names this version, as affected or as mended."""
        return self.unheard == UNHEARD_VERSION

    @property
    def coverage(self) -> Coverage:
        """The gravest thing that can be said of it."""
        if not self.findings:
            return NOT_AUDITED if self.reasons else CLEAN
        for finding in self.findings:
            if finding.counts:
                return Coverage.VULNERABLE
        if self.reasons:
            return Coverage.NOT_AUDITED
        return Coverage.IGNORED


class AuditResult(Record):
    """A whole audit. `facts` is the index it was checked against offline, `service` online; one of them is there.

    `now` is when it began, `finished` when it ended, where that is known (UTC).

    `stale` says why the index is too old, empty if it is not; `expired` and `unmatched` are ignores that did nothing.
    """

    kind: str
    target: str
    product: Product | None
    audited: tuple[Audited, ...]
    now: datetime
    facts: IndexFacts | None = None
    service: str = ""
    stale: str = ""
    expired: tuple[Ignore, ...] = ()
    unmatched: tuple[Ignore, ...] = ()
    used: tuple[tuple[Ignore, Dependency], ...] = ()
    warnings: tuple[str, ...] = ()
    finished: datetime | None = None

    @property
    def exit_code(self) -> ExitCode:
        """DONE only if there are dependencies and each was looked at (design: codes 20, 21, 14 in this order)."""
        codes = {_CODES[coverage] for coverage, entries in self._by_coverage.items() if entries}
        if not self.audited or not (self.facts or self.service):
            codes.add(ExitCode.UNAUDITED)
        if self.stale:
            codes.add(ExitCode.STALE)
        return gravest(codes)

    def of(self, coverage: Coverage) -> tuple[Audited, ...]:
        """The dependencies of which this became, in the order of the input."""
        return tuple(self._by_coverage[coverage])

    @cached_property
    def _by_coverage(self) -> dict[Coverage, list[Audited]]:
        found: dict[Coverage, list[Audited]] = {coverage: [] for coverage in Coverage}
        for entry in self.audited:
            found[entry.coverage].append(entry)
        return found
