"""What an in-toto statement says, and a short reading of the predicates that are known.

Enters: the payload of a DSSE envelope. Leaves: `StatementClaims`, in which whatever could not be read is missing and
noted. Compares nothing with any file. https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from collections.abc import Callable

from sealwright.collect.claims.json_claims import Node, Problems
from sealwright.files.strict_json import read_json
from sealwright.model.explanation import Claim, StatementClaims, Subject

_MAX_COMMAS = 200_000  # an SBOM of some thousand components, in 50 MB of memory at most
_MOST_SUBJECTS = 10_000
_MOST_DEPENDENCIES = 3
_MOST_IDS = 10


def read_statement_claims(payload: bytes, problems: Problems) -> StatementClaims | None:
    """Read a statement; None if it is no JSON object. Raises nothing."""
    try:
        document = read_json(payload, _MAX_COMMAS)
    except (ValueError, RecursionError) as error:
        problems.note("the statement", first_line(error))
        return None
    node = Node(document, "statement", problems)
    subjects = tuple(
        Subject(subject.text("name"), tuple(Claim(*pair) for pair in subject.pairs("digest")))
        for subject in node.tables("subject", _MOST_SUBJECTS)
    )
    kind = node.text("predicateType")
    read = _PREDICATES.get(kind)
    predicate = tuple(claim for claim in read(node.table("predicate")) if claim.text) if read else ()
    return StatementClaims(node.text("_type"), kind, subjects, predicate)


def first_line(error: Exception) -> str:
    """The first line of what a library said, or what its error is called."""
    return (str(error).strip().splitlines() or [""])[0] or type(error).__name__


def _provenance(predicate: Node) -> list[Claim]:
    """https://slsa.dev/spec/v1.0/provenance."""
    definition, run = predicate.table("buildDefinition"), predicate.table("runDetails")
    claims = [
        Claim("builder", run.table("builder").text("id")),
        Claim("build type", definition.text("buildType")),
        Claim("invocation", run.table("metadata").text("invocationId")),
    ]
    dependencies = definition.count("resolvedDependencies")
    for dependency in definition.tables("resolvedDependencies", dependencies)[:_MOST_DEPENDENCIES]:
        digests = "".join(f", {name} {value}" for name, value in dependency.pairs("digest"))
        claims.append(Claim("built from", dependency.text("uri") + digests))
    more = dependencies - _MOST_DEPENDENCIES
    return claims + ([Claim("built from", f"{more:,} more")] if more > 0 else [])


def _publish(predicate: Node) -> list[Claim]:
    """https://docs.pypi.org/attestations/publish/v1: the statement is all, it has no predicate."""
    return [Claim("published", "to a package index, by whoever signed")]


def _release(predicate: Node) -> list[Claim]:
    """https://github.com/in-toto/attestation/blob/main/spec/predicates/release.md."""
    return [Claim("purl", predicate.text("purl")), Claim("release id", predicate.text("releaseId"))]


def _sbom(predicate: Node) -> list[Claim]:
    """https://cyclonedx.org/docs/1.6/json/."""
    return [
        Claim("SBOM", f"{predicate.text('bomFormat')} {predicate.text('specVersion')}".strip()),
        Claim("serial", predicate.text("serialNumber")),
        Claim("components", f"{predicate.count('components'):,}"),
    ]


def _vulns(predicate: Node) -> list[Claim]:
    """https://github.com/in-toto/attestation/blob/main/spec/predicates/vuln.md."""
    scanner = predicate.table("scanner")
    number = scanner.count("result")
    ids = [result.text("id") for result in scanner.tables("result", number)[:_MOST_IDS]]
    more = f" and {number - len(ids):,} more" if number > len(ids) else ""
    found = f"{number:,} vulnerabilities: {', '.join(ids)}{more}" if number else "no vulnerability"
    return [
        Claim("scanner", f"{scanner.text('uri')} {scanner.text('version')}".strip()),
        Claim("scan ended", predicate.table("metadata").text("scanFinishedOn")),
        Claim("result", found),
    ]


_PREDICATES: dict[str, Callable[[Node], list[Claim]]] = {
    "https://slsa.dev/provenance/v1": _provenance,
    "https://docs.pypi.org/attestations/publish/v1": _publish,
    "https://in-toto.io/attestation/release/v0.1": _release,
    "https://cyclonedx.org/bom": _sbom,
    "https://in-toto.io/attestation/vulns/v0.1": _vulns,
    "https://in-toto.io/attestation/vulns/v0.2": _vulns,
}
