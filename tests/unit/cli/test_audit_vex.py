"""VEX: a statement is applied where product and component match, and nowhere else."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.advisories import affected, make_index, record
from support.world import run

RECORDS = (
    record(1, affected("bad", events=[{"introduced": "0"}]), aliases=["CVE-2020-1"]),
    record("MAL-2020-1", affected("evil", events=[{"introduced": "0"}])),
)
ME, BAD = "pkg:pypi/me@1.0", "pkg:pypi/bad@1.0"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("db"), *RECORDS)


def audit(folder: Path, db: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "r.txt").write_text("bad==1.0\n") if not (folder / "r.txt").exists() else None
    return run("sealwright", "audit", "r.txt", "--db", str(db), *arguments, cwd=folder)


def openvex(products: Any, **more: Any) -> dict[str, Any]:
    statement = {
        "vulnerability": {"name": "CVE-2020-1"}, "products": products, "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    }  # fmt: skip
    return {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1", "author": "Ann",
        "timestamp": "2025-01-01T00:00:00Z", "version": 1, "statements": [statement | more],
    }  # fmt: skip


def cyclonedx(product: str | None, component: str, state: str = "not_affected", **affects: Any) -> dict[str, Any]:
    main = {"component": {"type": "library", "name": "me", "purl": product}} if product else {}
    found = {
        "id": "CVE-2020-1", "analysis": {"state": state, "detail": "never called"}, "affects": [{"ref": "c"} | affects],
    }  # fmt: skip
    components = [{"type": "library", "bom-ref": "c", "name": "bad", "purl": component}]
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": main, "components": components,
        "vulnerabilities": [found],
    }  # fmt: skip


WITHIN = [{"@id": ME, "subcomponents": [{"@id": BAD}]}]
CASES: list[tuple[str, dict[str, Any], str | None, int]] = [
    ("the component itself", openvex([{"@id": BAD}]), None, 0),
    ("by its identifiers", openvex([{"@id": "x", "identifiers": {"purl": BAD}}]), None, 0),
    ("any version", openvex([{"@id": "pkg:pypi/Bad"}]), None, 0),
    ("another version", openvex([{"@id": "pkg:pypi/bad@1.1"}]), None, 20),
    ("another component", openvex([{"@id": "pkg:pypi/good@1.0"}]), None, 20),
    ("another ecosystem", openvex([{"@id": "pkg:npm/bad@1.0"}]), None, 20),
    ("a qualifier", openvex([{"@id": BAD + "?file_name=x"}]), None, 20),
    ("no product", openvex([]), None, 20),
    ("within the product", openvex(WITHIN), "me==1.0", 0),
    ("within another product", openvex(WITHIN), "other==1.0", 20),
    ("within another version of it", openvex(WITHIN), "me==2.0", 20),
    ("within a product that nobody named", openvex(WITHIN), None, 20),
    ("the product, without a component", openvex([{"@id": ME}]), "me==1.0", 20),
    ("another id", openvex([{"@id": BAD}], vulnerability={"name": "CVE-2020-2"}), None, 20),
    ("an alias", openvex([{"@id": BAD}], vulnerability={"name": "X", "aliases": ["PYSEC-2020-1"]}), None, 0),
    ("affected", openvex([{"@id": BAD}], status="affected"), None, 20),
    ("under investigation", openvex([{"@id": BAD}], status="under_investigation"), None, 20),
    ("fixed", openvex([{"@id": BAD}], status="fixed"), None, 0),
    ("CycloneDX", cyclonedx(ME, BAD), "me==1.0", 0),
    ("CycloneDX, false positive", cyclonedx(ME, BAD, "false_positive"), "me==1.0", 0),
    ("CycloneDX, exploitable", cyclonedx(ME, BAD, "exploitable"), "me==1.0", 20),
    ("CycloneDX of another product", cyclonedx("pkg:pypi/other@1.0", BAD), "me==1.0", 20),
    ("CycloneDX without a product", cyclonedx(None, BAD), "me==1.0", 20),
    ("CycloneDX about another component", cyclonedx(ME, "pkg:pypi/good@1.0"), "me==1.0", 20),
    ("CycloneDX with a reference to nothing", cyclonedx(ME, BAD, ref="d"), "me==1.0", 20),
    ("CycloneDX about some versions", cyclonedx(ME, BAD, versions=[{"version": "1.0"}]), "me==1.0", 20),
]


@pytest.mark.parametrize(("vex", "product", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_statement_is_applied(tmp_path: Path, db: Path, vex: dict[str, Any], product: str | None, code: int) -> None:
    (tmp_path / "vex.json").write_text(json.dumps(vex))
    done = audit(tmp_path, db, "--vex", "vex.json", *(("--product", product) if product else ()))
    assert done.returncode == code, done.stdout + done.stderr
    assert ("1 ignored" in done.stdout) is (code == 0)


@pytest.mark.parametrize("named", [(None, None), ("c", "c")])
def test_a_component_that_no_reference_names_is_not_meant(
    tmp_path: Path, db: Path, named: tuple[str | None, str | None]
) -> None:
    components = [
        {"type": "library", "name": name, "version": "1.0", "purl": f"pkg:pypi/{name}@1.0"}
        | ({"bom-ref": given} if given else {})
        for name, given in zip(("other", "bad"), named, strict=True)
    ]
    affects = [{"ref": named[0]} if named[0] else {}]
    vex = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components,
        "metadata": {"component": {"name": "me", "purl": "pkg:pypi/me@1"}},
        "vulnerabilities": [{"id": "CVE-2020-1", "analysis": {"state": "resolved", "detail": "d"}, "affects": affects}],
    }  # fmt: skip
    (tmp_path / "v.json").write_text(json.dumps(vex))
    (tmp_path / "r.txt").write_text("bad==1.0\n")
    done = run("sealwright", "audit", "r.txt", "--db", str(db), "--vex", "v.json", "--product", "me==1", cwd=tmp_path)
    assert done.returncode == 20, done.stdout + done.stderr


def test_the_latest_statement_counts(tmp_path: Path, db: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(openvex([{"@id": BAD}])))
    late = openvex([{"@id": BAD}], status="affected", timestamp="2025-06-01T00:00:00+02:00")
    (tmp_path / "new.json").write_text(json.dumps(late))
    assert audit(tmp_path, db, "--vex", "new.json", "--vex", "old.json").returncode == 20
    late["statements"][0]["timestamp"] = "2024-06-01T00:00:00Z"
    (tmp_path / "new.json").write_text(json.dumps(late))
    assert audit(tmp_path, db, "--vex", "new.json", "--vex", "old.json").returncode == 0


def _against(**component: Any) -> dict[str, Any]:
    """A CycloneDX document that calls the component exploitable, with more said of it."""
    vex = cyclonedx(ME, BAD, "exploitable")
    vex["components"][0] |= component
    return vex


LATER = [
    openvex([{"@id": BAD + "?file_name=bad-1.0-py3-none-any.whl"}], status="affected"),
    openvex([{"@id": BAD + "#bad/part"}], status="affected"),
    openvex([{"@id": ME + "?file_name=x", "subcomponents": [{"@id": BAD}]}], status="affected"),
    openvex([{"@id": BAD, "subcomponents": []}], status="under_investigation"),
    _against(purl=BAD + "?file_name=x"),
    _against(components=[{"type": "library", "bom-ref": "c", "name": "good", "purl": "pkg:pypi/good@1.0"}]),
    cyclonedx(None, BAD, "exploitable"),
]


@pytest.mark.parametrize("later", LATER)
def test_nothing_narrows_what_is_said_against_a_component(tmp_path: Path, db: Path, later: dict[str, Any]) -> None:
    """What sets aside must name exactly what it is about; that one file is affected counts against all."""
    (tmp_path / "old.json").write_text(json.dumps(openvex([{"@id": BAD}])))
    (tmp_path / "new.json").write_text(json.dumps(later | {"timestamp": "2025-06-01T00:00:00Z"}))
    assert audit(tmp_path, db, "--vex", "old.json", "--product", "me==1.0").returncode == 0
    done = audit(tmp_path, db, "--vex", "old.json", "--vex", "new.json", "--product", "me==1.0")
    assert done.returncode == 20, done.stdout + done.stderr


ODD = ["yesterday", "2025-06-01", "2025-06-01T00:00:00", "9999-12-31T23:59:59-23:59", 5, [], True]


@pytest.mark.parametrize("form", ["openvex", "cyclonedx"])
@pytest.mark.parametrize(
    ("affected", "aside", "code"),
    [
        ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z", 0),
        ("2025-01-01T00:00:00Z", "2025-01-01T01:00:00+01:00", 20),
        ("2025-01-01T00:00:00Z", "2999-01-01T00:00:00Z", 20),
        ("2999-01-01T00:00:00Z", "2025-01-01T00:00:00Z", 20),
        ("none", "2999-01-01T00:00:00Z", 20),
        ("none", "2025-01-01T00:00:00Z", 0),
        ("none", None, 0),
        (None, "2025-01-01T00:00:00Z", 20),
        ("2000-01-01T00:00:00Z", None, 20),
        *((each, "2025-01-01T00:00:00Z", 20) for each in ODD),
        *(("none", each, 2) for each in ODD),
    ],
)
def test_when_it_was_said(tmp_path: Path, db: Path, form: str, affected: Any, aside: Any, code: int) -> None:
    """What is said at a time that nobody can read, or that is yet to come, hides nothing that is said now."""
    said: list[dict[str, Any]] = []
    for moment, status, state in ((affected, "affected", "exploitable"), (aside, "not_affected", "not_affected")):
        if form == "openvex":
            said.append(openvex([{"@id": BAD}], status=status) | {"timestamp": moment})
        else:
            said.append(cyclonedx(ME, BAD, state))
            said[-1]["metadata"]["timestamp"] = moment
    for number, each in enumerate(said[1:] if affected == "none" else said):
        (tmp_path / f"{number}.json").write_text(json.dumps(each))
    named = [word for path in sorted(tmp_path.glob("?.json")) for word in ("--vex", path.name)]
    done = audit(tmp_path, db, *named, "--product", "me==1.0")
    assert done.returncode == code, done.stdout + done.stderr
    assert code != 2 or "time" in done.stderr


IDLE: list[tuple[dict[str, Any], str | None, str]] = [
    (openvex([{"@id": "pkg:pypi/bad@1.1"}]), None, "v.json sets nothing aside here\n"),
    (openvex([]), None, "v.json sets nothing aside here\n"),
    (
        openvex(WITHIN), None,
        "v.json sets nothing aside here: it speaks of what is in me 1.0, and nobody says what this is (--product)\n",
    ),
    (openvex(WITHIN), "me==2.0", "v.json sets nothing aside here: it speaks of what is in me 1.0, and this is me 2.0\n"),
    (
        openvex([{"@id": f"pkg:pypi/p{n}@1", "subcomponents": [{"@id": BAD}]} for n in range(1, 6)]), "me==1.0",
        "v.json sets nothing aside here: it speaks of what is in p1 1, p2 1, p3 1, and 2 more, and this is me 1.0\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("vex", "product", "said"), IDLE)
def test_a_document_that_sets_nothing_aside_is_named(
    tmp_path: Path, db: Path, vex: dict[str, Any], product: str | None, said: str
) -> None:
    """Whoever wrote it believes that it does."""
    (tmp_path / "v.json").write_text(json.dumps(vex))
    (tmp_path / "good.json").write_text(json.dumps(openvex([{"@id": BAD}])))
    more = ("--product", product) if product else ()
    done = audit(tmp_path, db, "--vex", "v.json", *more)
    assert (done.returncode, said in " ".join(done.stdout.split(" "))) == (20, True), done.stdout
    both = audit(tmp_path, db, "--vex", "v.json", "--vex", "good.json", "--json", *more)
    warnings = json.loads(both.stdout)["warnings"]
    assert [each.partition(" ")[0] for each in warnings if "sets nothing aside" in each] == ["v.json"]


def test_no_document_fills_the_screen(tmp_path: Path, db: Path) -> None:
    within = [{"@id": f"pkg:pypi/p@{'1' * 100_000}", "subcomponents": [{"@id": BAD}]}]
    (tmp_path / "v.json").write_text(json.dumps(openvex(within)))
    done = audit(tmp_path, db, "--vex", "v.json", "--json")
    assert (done.returncode, len(done.stdout) < 10_000) == (20, True)


def test_so_are_those_that_a_graver_statement_overrules(tmp_path: Path, db: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(openvex([{"@id": BAD}])))
    (tmp_path / "grave.json").write_text(json.dumps(openvex([{"@id": BAD}], status="affected")))
    done = audit(tmp_path, db, "--vex", "good.json", "--vex", "grave.json", "--json")
    warnings = json.loads(done.stdout)["warnings"]
    assert [each.partition(" ")[0] for each in warnings if "aside" in each] == ["good.json", "grave.json"]


def test_nothing_excuses_malice(tmp_path: Path, db: Path) -> None:
    (tmp_path / "r.txt").write_text("evil==1.0\n")
    vex = openvex([{"@id": "pkg:pypi/evil@1.0"}], vulnerability={"name": "MAL-2020-1"})
    (tmp_path / "vex.json").write_text(json.dumps(vex))
    assert audit(tmp_path, db, "--vex", "vex.json").returncode == 20


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"@context": "https://openvex.dev/ns"}', json.dumps(openvex(1)),
                json.dumps(openvex([{"@id": BAD}], justification=""))],
)  # fmt: skip
def test_what_is_no_vex_is_refused(tmp_path: Path, db: Path, content: str) -> None:
    (tmp_path / "vex.json").write_text(content)
    done = audit(tmp_path, db, "--vex", "vex.json")
    assert done.returncode == 2
    assert "vex.json" in done.stderr


@pytest.mark.parametrize("product", [None, "me==1.0"])
def test_what_is_written_is_read_again(tmp_path: Path, db: Path, product: str | None) -> None:
    folder = tmp_path / ".sealwright"
    folder.mkdir()
    (folder / "audit.toml").write_text(
        'schema = 1\n[[ignore]]\nid = "CVE-2020-1"\npackage = "bad"\nreason = "never called"\nowner = "Ann"\n'
        'expires = 2999-01-01\n[[ignore]]\nid = "X"\npackage = "bad"\nreason = "r"\nowner = "Bob"\nexpires = 2999-01-01\n'
    )
    more = ("--product", product) if product else ()
    assert audit(tmp_path, db, "--write-vex", "made.json", *more).returncode == 0
    made = json.loads((tmp_path / "made.json").read_text())
    (statement,) = made["statements"]
    assert (made["author"], statement["impact_statement"]) == ("Ann", "never called")
    (folder / "audit.toml").unlink()
    assert audit(tmp_path, db, *more).returncode == 20
    assert audit(tmp_path, db, "--vex", "made.json", *more).returncode == 0


def test_what_is_written_says_each_thing_once_and_excuses_no_malice(tmp_path: Path) -> None:
    """The schema of OpenVEX wants each statement once; an ignore that was not applied must not reach other tools."""
    alias = record("GHSA-aaaa-bbbb-cccc", affected("evil", events=[{"introduced": "0"}]), aliases=["MAL-2020-1"])
    index = make_index(tmp_path, *RECORDS, alias)
    (tmp_path / "r.txt").write_text("bad==1.0; os_name == 'a'\nbad==1.0; os_name != 'a'\nevil==1.0\n")
    ignores = "".join(
        f'[[ignore]]\nid = "{name}"\npackage = "{package}"\nreason = "r"\nowner = "{owner}"\nexpires = 2999-01-01\n'
        for name, package, owner in (("CVE-2020-1", "bad", "Ann"), ("GHSA-aaaa-bbbb-cccc", "evil", "Eve"))
    )
    (tmp_path / "ignores.toml").write_text("schema = 1\n" + ignores)
    assert audit(tmp_path, index, "--ignores", "ignores.toml", "--write-vex", "made.json").returncode == 20
    made = json.loads((tmp_path / "made.json").read_text())
    assert [each["products"] for each in made["statements"]] == [[{"@id": BAD}]]
    assert made["author"] == "Ann"
    done = audit(tmp_path, index, "--ignores", "ignores.toml", "--json")
    assert [each["id"] for each in json.loads(done.stdout)["unmatchedIgnores"]] == ["GHSA-aaaa-bbbb-cccc"]


def test_nothing_is_written_where_no_ignore_was_applied(tmp_path: Path, db: Path) -> None:
    """The schema of OpenVEX knows no document without a statement, and an older one would go on excusing."""
    for there in (False, True):
        if there:
            (tmp_path / "made.json").write_text("of yesterday")
        done = audit(tmp_path, db, "--write-vex", "made.json")
        assert done.returncode == 20
        assert "no ignore was applied, so there is no made.json" in done.stderr
        assert not (tmp_path / "made.json").exists()


def test_what_is_no_file_is_not_removed(tmp_path: Path, db: Path) -> None:
    """As /dev/null or /dev/stdout, which everything on the machine uses: root could remove them."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "there").write_text("of another")
    (tmp_path / "link").symlink_to("there")
    for name, what in (("fifo", "a FIFO"), ("link", "a symbolic link")):
        done = audit(tmp_path, db, "--write-vex", name)
        assert done.returncode == 3
        assert f"{name} cannot be written: it is {what}" in done.stderr
        assert os.path.lexists(tmp_path / name)
