"""The policy file: what is read, and every mistake that must be told rather than guessed about."""

import json
import re
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.errors import PolicyError
from sealwright.model.claims import CLAIMS, ClaimKind
from sealwright.model.policy import PUBLISHABLE, Template
from sealwright.model.policy_toml import parse_policy

FULL = """
schema = 1
project = "Sirene_API.client"
repository = "https://github.com/o/r"
version = 3
expires = 2027-03-31T02:00:00+02:00
sigstore-root = "production"

[places]
artifacts = "index"
evidence = "github:o/r"

[release]
tag = "v{version}"

[require]
signers = 2
openpgp = 1
sigstore = 1
release = { signers = ["workflow"] }
provenance = { signers = ["workflow"], level = 2, builder = "https://github.com/o/r/w.yml@refs/tags/v{version}" }
sbom = { signers = ["workflow"] }
audit = { signers = ["workflow"], max-age-days = 7 }
layout = false

[[signer]]
name = "manager"
[[signer.openpgp]]
fingerprint = "0123456789abcdef0123456789ABCDEF01234567"
until-version = "2.0"

[[signer]]
name = "workflow"
[[signer.sigstore]]
identity = "https://github.com/o/r/.github/workflows/release.yml@refs/tags/v{version}"
oidc-issuer = "https://token.actions.githubusercontent.com"
source-repository = "https://github.com/o/r"
source-ref = "refs/tags/v{version}"
source-owner-id = "123"
"""
SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "policy.schema.json").read_text())


def as_json(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text), default=lambda value: value.isoformat()))


def test_every_key_of_the_schema_is_read() -> None:
    policy = parse_policy(FULL.encode())
    assert (policy.project, policy.version, policy.expires) == (
        "sirene-api-client",
        3,
        datetime(2027, 3, 31, tzinfo=UTC),
    )
    assert policy.tag.expand("1.2") == "v1.2"
    assert (policy.require.signers, policy.require.openpgp, policy.require.sigstore) == (2, 1, 1)
    assert policy.require.provenance
    assert (policy.require.provenance.level, policy.require.provenance.signers) == (2, ("workflow",))
    assert policy.require.audit
    assert policy.require.audit.max_age_days == 7
    manager, workflow = policy.signers
    assert manager.openpgp[0].fingerprint == "0123456789ABCDEF0123456789ABCDEF01234567"
    assert str(manager.openpgp[0].until_version) == "2.0"
    identity = workflow.sigstore[0]
    assert identity.identity.expand("1.2").endswith("@refs/tags/v1.2")
    assert identity.claim("source-owner-id") == Template("123")
    assert identity.claim("source-repository-id") is None
    jsonschema_rs.validate(SCHEMA, as_json(FULL))


@pytest.mark.parametrize(
    ("changes", "evidence", "words"),
    [
        ({"signers = 2\nopenpgp = 1": "signers = 1\nopenpgp = 1"}, ["checksums"], "nothing that they sign"),
        ({"signers = 2\nopenpgp = 1": "signers = 1\nopenpgp = 0"}, ["artifact-signatures"], "nothing that they sign"),
        ({"signers = 2\nopenpgp = 1\nsigstore = 1": "signers = 2\nopenpgp = 0\nsigstore = 2"},
         ["publish-attestations"], "have one: the publisher"),
        ({"signers = 2\nopenpgp = 1": "signers = 1\nopenpgp = 0"}, ["artifact-signatures", "sigstore-bundles"], ""),
        ({"signers = 2\nopenpgp = 1": "signers = 1\nopenpgp = 0"}, ["publish-attestations"], ""),
        ({"signers = 2\nopenpgp = 1": "signers = 2\nopenpgp = 0"}, ["sigstore-bundles"], "only 1 sign something"),
        ({}, ["publish-attestations", "artifact-signatures", "checksums"], ""),
    ],
)  # fmt: skip
def test_what_is_published_must_be_enough(changes: dict[str, str], evidence: list[str], words: str) -> None:
    text = FULL.replace('release = { signers = ["workflow"] }', "release = false")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    if "sigstore = 2" in text:
        more = '\n[[signer.sigstore]]\nidentity = "a@example.org"\noidc-issuer = "https://issuer.example"\n'
        text = text.replace('until-version = "2.0"\n', 'until-version = "2.0"\n' + more)
    text = text.replace('tag = "v{version}"', f'tag = "v{{version}}"\nevidence = {json.dumps(evidence)}')
    jsonschema_rs.validate(SCHEMA, as_json(text))
    if words:
        with pytest.raises(PolicyError, match=words):
            parse_policy(text.encode())
        return
    policy = parse_policy(text.encode())
    assert policy.evidence == tuple(sorted(evidence, key=PUBLISHABLE.index))
    assert all(policy.publishes(name) == (name in evidence) for name in PUBLISHABLE)


def test_a_policy_that_does_not_say_publishes_all_that_it_counts() -> None:
    policy = parse_policy(FULL.encode())
    assert policy.evidence is None
    assert [name for name in PUBLISHABLE if policy.publishes(name)] == [
        "checksums", "checksums-signature", "artifact-signatures", "sigstore-bundles",
    ]  # fmt: skip


def test_every_claim_that_fulcio_makes_can_be_asked_for() -> None:
    lines = "".join(f'{kind.key} = "value of {kind.key}"\n' for kind in CLAIMS if f"\n{kind.key} = " not in FULL)
    policy = parse_policy((FULL + lines).encode())
    identity = policy.signers[1].sigstore[0]
    assert [claim.key for claim in identity.claims] == [kind.key for kind in CLAIMS]
    assert identity.claim("run-invocation") == Template("value of run-invocation")
    jsonschema_rs.validate(SCHEMA, as_json(FULL + lines))


@pytest.mark.parametrize("kind", [kind for kind in CLAIMS if not kind.template])
def test_a_claim_that_is_no_template_has_no_version_in_it(kind: ClaimKind) -> None:
    line = f'{kind.key} = "{{version}}"\n'
    text = FULL if f"\n{kind.key} = " not in FULL else re.sub(rf"\n{kind.key} = .*\n", "\n", FULL)
    text = text.replace("token.actions.githubusercontent.com", "issuer.example")
    with pytest.raises(PolicyError, match=f"{kind.key} is no template"):
        parse_policy((text + line).encode())


def mistakes() -> list[tuple[str, str, str]]:
    """What is replaced, by what, and a part of the message."""
    secret = 'fingerprint = "0123456789abcdef0123456789ABCDEF01234567"'
    return [
        ("schema = 1", "schema = 2", "schema must be 1"),
        ("schema = 1\n", "", "schema is missing"),
        *(
            ('tag = "v{version}"', f'tag = "v{{version}}"\nevidence = {evidence}', words)
            for evidence, words in {
                '"checksums"': "must be a list",
                "[1]": "must be a list",
                '["checksum"]': "'checksum', which is none of checksums, checksums-signature",
                '["checksums", "checksums"]': "names something twice",
                '["checksums-signature", "artifact-signatures"]': "without checksums, which it signs",
                '["checksums", "sigstore-bundles"]': "nothing that they sign",
                '["sigstore-bundles"]': "nothing that they sign",
                "[]": "nothing that they sign",
            }.items()
        ),
        ("signers = 2", "signer = 2", "require.signer is not a key of a policy"),
        ("signers = 2", "signers = true", "whole number, not a boolean"),
        ("signers = 2", "signers = 2.0", "whole number"),
        ("signers = 2", "signers = 0", "at least 1"),
        ("signers = 2", "signers = -1", "between"),
        ("signers = 2", "signers = 3", "only 2 of the listed signers could"),
        ("openpgp = 1", "openpgp = 2", "only 1 of the listed signers could"),
        ("openpgp = 1\nsigstore = 1", "openpgp = 0\nsigstore = 0", "cannot both be 0"),
        ("sigstore = 1", "sigstore = 3", "asks for 3 of 2 signers"),
        ("layout = false", "layout = 0", "layout must be true or false"),
        ("layout = false\n", "", "require.layout is missing"),
        ("layout = false", "layout = false\nextra = 1", "require.extra is not a key"),
        ('sbom = { signers = ["workflow"] }', "sbom = true", "must be false, or say whose"),
        ('sbom = { signers = ["workflow"] }', "sbom = { signers = [] }", "list of signers' names"),
        ('sbom = { signers = ["workflow"] }', 'sbom = { signers = ["manager"] }', "no signer with a Sigstore identity"),
        ('sbom = { signers = ["workflow"] }', 'sbom = { signers = ["nobody"] }', "no signer with a Sigstore identity"),
        ('sbom = { signers = ["workflow"] }', 'sbom = { signers = ["workflow", "workflow"] }', "names someone twice"),
        ("level = 2", "level = 4", "between 1 and 3"),
        ("max-age-days = 7", "max-age = 7", "not a key"),
        ("version = 3", 'version = "3"', "whole number, not a string"),
        ("version = 3", "version = 0", "between"),
        ('project = "Sirene_API.client"', 'project = "a b"', "no name of a Python project"),
        ('project = "Sirene_API.client"', 'project = ""', "printable text"),
        ('project = "Sirene_API.client"', "project = 1", "must be a string"),
        ('project = "Sirene_API.client"', 'project = "a\\u001bb"', "printable text"),
        ("https://github.com/o/r\"\nversion", "http://github.com/o/r\"\nversion", "must be an https:// URL"),
        ("2027-03-31T02:00:00+02:00", "2027-03-31T02:00:00", "with its zone"),
        ("2027-03-31T02:00:00+02:00", "2027-03-31", "with its zone"),
        ("2027-03-31T02:00:00+02:00", '"never"', "with its zone"),
        ("2027-03-31T02:00:00+02:00", "0001-01-01T00:00:00+23:00", "out of range"),
        ('sigstore-root = "production"', 'sigstore-root = "../root.json"', "production, staging"),
        ('artifacts = "index"', 'artifacts = "http://x"', "index, github:OWNER/REPO"),
        ('evidence = "github:o/r"', 'evidence = "github:o"', "index, github:OWNER/REPO"),
        ("[places]", "[place]", "place is not a key"),
        ('tag = "v{version}"', 'tag = "v{ver}"', "braces other than {version}"),
        ('tag = "v{version}"', 'tag = "v{version"', "braces other than {version}"),
        (secret, 'fingerprint = "89ABCDEF"', "40 or 64 hex digits"),
        (secret, secret + "\nexpires = 1", "not a key"),
        ('until-version = "2.0"', 'until-version = "two"', "no version"),
        ('name = "workflow"', 'name = "Manager"', "listed twice"),
        ('source-repository = "https://github.com/o/r"\n', "", "source-repository is missing"),
        ('oidc-issuer = "https://token.actions.githubusercontent.com"\n', "", "oidc-issuer is missing"),
        ("[[signer.sigstore]]", "[signer.sigstore]", "must be written [["),
        ("[[signer.sigstore]]", "[[signer.sigstores]]", "is not a key"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"), mistakes(), ids=[new[:30] or old[:30] for old, new, _ in mistakes()]
)
def test_a_mistake_is_told(old: str, new: str, message: str) -> None:
    assert FULL.count(old) == 1
    with pytest.raises(PolicyError, match=re.escape(message)):
        parse_policy(FULL.replace(old, new).encode())


def test_a_typo_gets_a_suggestion() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(FULL.replace("signers = 2", "signer = 2").encode())
    assert caught.value.hint == "Did you mean signers?"


def test_a_threshold_that_too_few_can_meet_gets_the_command_that_lists_another() -> None:
    for key, old, new in (
        ("signers", "signers = 2", "signers = 3"),
        ("openpgp", "openpgp = 1", "openpgp = 2"),
        ("sigstore", "openpgp = 1\nsigstore = 1", "openpgp = 1\nsigstore = 2"),
    ):
        with pytest.raises(PolicyError, match=f"require.{key} asks for") as caught:
            parse_policy(FULL.replace(old, new).encode())
        how = "[[signer.sigstore]]" if key == "sigstore" else "`sealwright keys add FILE --signer NAME` lists another"
        assert how in caught.value.hint


def test_one_key_under_two_signers_would_count_twice() -> None:
    again = (
        '\n[[signer]]\nname = "third"\n[[signer.openpgp]]\nfingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"\n'
    )
    with pytest.raises(PolicyError, match="listed twice, for manager and for third"):
        parse_policy((FULL + again).encode())


def test_one_identity_under_two_signers_would_count_twice() -> None:
    start = FULL.index("[[signer.sigstore]]")
    with pytest.raises(PolicyError, match="listed twice"):
        parse_policy((FULL + '\n[[signer]]\nname = "third"\n' + FULL[start:]).encode())


def test_nobody_to_trust() -> None:
    head = FULL.split("[[signer]]")[0]
    with pytest.raises(PolicyError, match="lists no signer"):
        parse_policy(head.encode())


def test_a_signer_without_a_key() -> None:
    with pytest.raises(PolicyError, match="neither an OpenPGP key nor a Sigstore identity"):
        parse_policy((FULL + '\n[[signer]]\nname = "third"\n').encode())


def test_the_line_that_is_no_toml_is_quoted() -> None:
    text = re.sub(r"(?m)^version = .*$", "version = x", FULL)
    number = text.split("\n").index("version = x") + 1
    with pytest.raises(PolicyError, match="is not TOML") as caught:
        parse_policy(text.encode())
    assert caught.value.hint == f"Line {number} is 'version = x'. docs/policy.md shows a whole one."
    long = re.sub(r"(?m)^version = .*$", "version = é\x1b[2J" + "é" * 90, FULL)
    with pytest.raises(PolicyError, match="is not TOML") as caught:
        parse_policy(long.encode())
    assert "'version = é\\x1b[2J" in caught.value.hint
    assert "'…. docs/policy.md" in caught.value.hint
    for lie in (b'["(at line 99999, column 1)"]\n' * 2, b'["(at line 0, column 1)"]\n' * 2):  # tomllib says the key
        with pytest.raises(PolicyError, match="is not TOML") as caught:
            parse_policy(lie)
        assert caught.value.hint.startswith("Line 2 is "), "where tomllib stopped, and not what the file says"
    with pytest.raises(PolicyError, match="at end of document") as caught:
        parse_policy(b"schema = [")
    assert caught.value.hint == "docs/policy.md shows a whole one."


def test_what_the_json_schema_refuses_is_refused_here() -> None:
    """The schema cannot know everything that the parser knows, but it must never be the stricter of the two."""
    for old, new, _ in mistakes():
        try:
            document = as_json(FULL.replace(old, new))
        except (tomllib.TOMLDecodeError, ValueError):
            continue
        if not jsonschema_rs.is_valid(SCHEMA, document):
            with pytest.raises(PolicyError):
                parse_policy(FULL.replace(old, new).encode())


@examples(300)
@given(position=st.integers(0, len(FULL) - 1), character=st.characters(codec="utf-8"))
def test_any_changed_character_is_read_or_refused(position: int, character: str) -> None:
    text = FULL[:position] + character + FULL[position + 1 :]
    with suppress(PolicyError):  # any other exception is a bug
        parse_policy(text.encode())


@examples(200)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(content)
