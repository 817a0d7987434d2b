"""Ask a live service about every dependency, through pip-audit, and about whatever pip-audit would pass over.

Enters: dependencies, a service, an HTTP session, perhaps the local index. Leaves: an `AuditResult`. A service that
does not answer is no result (UndecidedError); a dependency of which it says nothing that can be read is not audited.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sealwright.collect.advisories.feeds import find_doubt, knows_probe
from sealwright.collect.advisories.osv_service import OSV_URL, Answer, OsvService
from sealwright.collect.advisories.pip_audit import PipAudit, Spoken, run_pip_audit
from sealwright.collect.advisories.service_answer import PROBE, Service, ServiceError
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.threads import each_in_parallel
from sealwright.jobs.audit.audit import Rules, conclude, distinct, look_up
from sealwright.jobs.audit.relay import running_relay
from sealwright.model.advisory import is_name
from sealwright.model.audit import Audited, AuditResult, Finding
from sealwright.model.dependency import Dependencies, Dependency
from sealwright.model.finding_merge import Concerning, find_fix, fixes_of, merge
from sealwright.model.index_facts import write_time
from sealwright.model.osv_record import Advisory
from sealwright.model.severity import score
from sealwright.model.version_order import read_order
from sealwright.store.advisory_index import AdvisoryIndex

if TYPE_CHECKING:
    from requests import Session

SERVICES = ("osv", "pypi", "esms")
_AT_ONCE = 8
_HINT = "Nothing was audited. Without --service, the local index is asked."
_ALONE = "there is no local index beside the service: an advisory that the service hides is not noticed"
_UNASKED = Spoken(skipped="pip-audit was not asked about it")
_Pin = tuple[str, str]
_NEVER: tuple[()] = ()  # before every version


class Online(NamedTuple):
    """Which service to ask, and how: the environment is that of pip-audit's process."""

    service: str
    session: "Session"
    environment: Mapping[str, str]
    osv_url: str = OSV_URL
    seconds: float = 60.0

    @property
    def name(self) -> str:
        """The service as a result names it."""
        return self.osv_url if self.service == "osv" else f"pip-audit's service {self.service}"


def audit_online(
    dependencies: Dependencies, online: Online, rules: Rules, *, now: datetime, index: AdvisoryIndex | None = None
) -> AuditResult:
    """Audit dependencies online; what the index knows besides is added.

    Raises UndecidedError if nothing answers, UsageError if the index decides what exists, and there is none.
    """
    if rules.known_by_index and index is None:
        raise UsageError(
            "--known-names index was given, and there is no local index", "Make it with: sealwright audit db update"
        )
    entries = distinct(dependencies.entries)
    asked = {entry: _pin(entry) for entry in entries if not _unfit(entry)}
    pins = list(dict.fromkeys(asked.values()))
    service = Service(online.session, online.seconds)
    answers: dict[_Pin, Answer | ServiceError] = {}
    if online.service == "osv":
        answers = _ask_osv(pins, OsvService(service, online.osv_url, write_time(now)), service)
        relayed = {pin: found.records for pin, found in answers.items() if isinstance(found, Answer)}
        with running_relay(relayed) as url:
            spoken = _run(list(relayed), online, url)
    else:
        _probe(online.name, lambda: knows_probe(online.service, service))
        spoken = _doubting(_run(pins, online, ""), online.service, service)
    audited = []
    for entry in entries:
        pin = asked.get(entry, ("", ""))
        answer = answers.get(pin)
        found = _conclude(entry, answer, spoken.spoken.get(pin, _UNASKED), online)
        found = found._replace(reasons=tuple(dict.fromkeys((*found.reasons, *_objections(entry, index, rules)))))
        audited.append(_beside(found, answer, index, rules) if index else found)
    return conclude(
        dependencies, tuple(audited), rules, now=now, index=index.facts if index else None, service=online.name,
        warnings=(*spoken.warnings, *(() if index else (_ALONE,))),
    )  # fmt: skip


def _unfit(entry: Dependency) -> str:
    """Why a service cannot be asked about this."""
    if entry.problem:
        return entry.problem
    if not is_name(entry.name):
        return "its name is no name of a project"
    return "" if read_order(entry.version) else f"its version {entry.version[:60]!r} is not PEP 440"


def _objections(entry: Dependency, index: AdvisoryIndex | None, rules: Rules) -> list[str]:
    """Why a dependency is not what is to be installed, or is not known to exist: no service says so."""
    said = [rules.files.objection(entry)] if rules.files else []
    if not entry.problem and is_name(entry.name):
        if rules.known:
            said.append(rules.known.objection(entry.name, entry.version))
        elif rules.known_by_index and index and index.bound(entry.name) is None:
            said.append("the index has never heard of this project")
    return [why for why in said if why]


def _pin(entry: Dependency) -> _Pin:
    """The name, and the version as pip-audit writes it, which asks for 1.0 where 1.00 stands."""
    from packaging.version import Version

    return entry.name, str(Version(entry.version))


def _probe(name: str, known: Callable[[], bool]) -> None:
    """Have a service show that it knows anything at all."""
    try:
        if known():
            return
    except ServiceError as error:
        raise UndecidedError(f"{name} cannot be used: {error}", _HINT) from error
    raise UndecidedError(f"{name} does not know that {'=='.join(PROBE)} is vulnerable", _HINT)


def _ask_osv(pins: list[_Pin], osv: OsvService, service: Service) -> dict[_Pin, Answer | ServiceError]:
    """Ask a service about every pin."""
    _probe(f"the service {osv.url}", lambda: bool(osv.ask(*PROBE).advisories))

    def ask(pin: _Pin) -> Answer | ServiceError:
        name, version = pin
        public = version.partition("+")[0]  # from which a local version was built: no advisory lists local ones
        try:
            found = osv.ask(name, version)
            return found if public == version else _join(found, osv.ask(name, public))
        except ServiceError as error:
            return error

    return dict(zip(pins, each_in_parallel(ask, pins, threads=_AT_ONCE, stop=service.stop), strict=True))


def _doubting(said: PipAudit, kind: str, service: Service) -> PipAudit:
    """Ask again about each that pip-audit has not skipped: what it found could be ignored, and hide the rest."""
    pins = [pin for pin, spoken in said.spoken.items() if not spoken.skipped]

    def ask(pin: _Pin) -> Spoken:
        spoken = said.spoken[pin]
        ids = frozenset(name for each in spoken.vulnerabilities for name in (each.id, *each.aliases))
        return spoken._replace(skipped=find_doubt(kind, service, *pin, ids))

    asked = each_in_parallel(ask, pins, threads=_AT_ONCE, stop=service.stop)
    return said._replace(spoken=said.spoken | dict(zip(pins, asked, strict=True)))


def _join(found: Answer, more: Answer) -> Answer:
    """Two answers as one, each record once."""
    known = {advisory.id for advisory in found.advisories}
    new = [at for at, advisory in enumerate(more.advisories) if advisory.id not in known]
    return Answer(
        (*found.records, *(more.records[at] for at in new)),
        (*found.advisories, *(more.advisories[at] for at in new)),
        tuple(dict.fromkeys((*found.problems, *more.problems))),
    )


def _run(pins: list[_Pin], online: Online, url: str) -> PipAudit:
    """Run pip-audit; two versions of one project need two runs, because it refuses a file with both."""
    spoken: dict[_Pin, Spoken] = {}
    warnings: list[str] = []
    while pins:
        batch = dict(reversed(pins))
        said = run_pip_audit(list(batch.items()), online.service, url, online.environment)
        spoken |= said.spoken
        warnings += said.warnings
        pins = [pin for pin in pins if pin not in spoken]
    return PipAudit(spoken, tuple(dict.fromkeys(warnings)))


def _conclude(entry: Dependency, answer: Answer | ServiceError | None, spoken: Spoken, online: Online) -> Audited:
    if why := _unfit(entry):
        return Audited(entry, reasons=(why,))
    if isinstance(answer, ServiceError):
        return Audited(entry, reasons=(f"the service gave no answer: {answer}",))
    reasons = [spoken.skipped] if spoken.skipped else []
    found = [Concerning(v.id, v.aliases, v.summary, None, "", v.fixes, online.name) for v in spoken.vulnerabilities]
    if answer is None:
        findings = merge(found, entry.version)
        return Audited(entry, findings, tuple(reasons), _lowest(entry, findings))
    reasons += answer.problems
    affected = [each for advisory in answer.advisories for each in advisory.affected if each.package == entry.name]
    # The service has said that they concern this version: what pip-audit made of it does not take that back.
    found += [_concerning(advisory, entry, online.name) for advisory in answer.advisories]
    findings = merge(found, entry.version)
    fix = find_fix(entry.version, affected, (fix for each in affected for fix in fixes_of(each)))
    return Audited(entry, findings, tuple(reasons), fix if findings else "")


def _concerning(advisory: Advisory, entry: Dependency, source: str) -> Concerning:
    about = [each for each in advisory.affected if each.package == entry.name]
    fixes = tuple(fix for each in about for fix in fixes_of(each))
    texts = (advisory.id, advisory.aliases, advisory.summary, score(advisory.severities), advisory.published)
    return Concerning(*texts, fixes, source)


def _lowest(entry: Dependency, findings: tuple[Finding, ...]) -> str:
    """The latest of the versions that mend one finding each: as much as pip-audit lets know."""
    fixes = [finding.fixed for finding in findings]
    if not fixes or "" in fixes:
        return ""
    return max(fixes, key=lambda text: (read_order(text) is not None, read_order(text) or ()))


def _beside(online: Audited, answer: Answer | ServiceError | None, index: AdvisoryIndex, rules: Rules) -> Audited:
    """Add what the local index knows and the service did not say, and find what mends all of it."""
    offline = look_up(online.dependency, index, rules)
    known = {name for finding in online.findings for name in finding.ids}
    harm = any(finding.malicious for finding in online.findings)
    more = tuple(
        f._replace(source="the local index")
        for f in offline.findings
        if not known & set(f.ids) or (f.malicious and not harm)  # an ignore of what the service says sets it not aside
    )
    return online._replace(
        findings=(*online.findings, *more), unheard="" if online.findings else offline.unheard,
        fix=_fix(online, offline, answer, index) if online.findings or more else "",
    )  # fmt: skip


def _fix(online: Audited, offline: Audited, answer: Answer | ServiceError | None, index: AdvisoryIndex) -> str:
    """The lowest later version that none is about of the advisories of the index, and of those that the service names.

    A service that states no ranges says of each finding where it is mended: nothing before the last of these helps.
    """
    name, version, *_ = online.dependency
    affected = [each for _, each in index.entries(name) or ()]
    floors: list[str] = []
    if isinstance(answer, Answer):
        affected += [each for advisory in answer.advisories for each in advisory.affected if each.package == name]
    else:
        known = {each for finding in offline.findings for each in finding.ids}
        if any(not finding.fixed and not known & set(finding.ids) for finding in online.findings):
            return ""
        floors = [finding.fixed for finding in online.findings if finding.fixed]
    fixes = [*floors, *(fix for each in affected for fix in fixes_of(each))]
    lowest = max(((read_order(text) or _NEVER) for text in floors), default=_NEVER)
    return find_fix(version, affected, (fix for fix in fixes if (read_order(fix) or _NEVER) >= lowest))
