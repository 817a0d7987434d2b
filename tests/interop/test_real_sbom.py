"""Real input: projects with real dependencies from the package index, against cyclonedx-py and an independent scorer."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.packages import edges
from support.world import run

pytestmark = pytest.mark.network

PROJECTS = ("black==25.1.0", "twine==6.1.0")
SCORER = "sbomaudit==0.4.4"
VARIABLES = {"SOURCE_DATE_EPOCH": "1700000000"}


def pip(*arguments: str, python: str = sys.executable) -> None:
    command = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")


def sealwright(folder: Path, *arguments: str) -> str:
    done = run("sealwright", "sbom", *arguments, cwd=folder, env=VARIABLES)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Real:
    """A wheel of the index with its SBOM, and an environment into which exactly that closure was installed."""

    def __init__(self, folder: Path, project: str) -> None:
        self.folder, self.project = folder, project.partition("==")[0]
        pip("download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder), project)
        self.wheel = next(folder.glob("*.whl"))
        self.document: dict[str, Any] = json.loads(sealwright(folder, self.wheel.name, "--author", "Example"))
        (folder / "wheel.cdx.json").write_text(json.dumps(self.document))
        self.venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)], check=True, timeout=120)
        pins = [f"{c['name']}=={c['version']}" for c in self.document["components"]]
        pip("--python", str(self.venv / "bin" / "python"), "install", "-q", "--no-compile", str(self.wheel), *pins)

    def installed(self) -> dict[str, Distribution]:
        site = next(self.venv.glob("lib/python*/site-packages"))
        return {canonicalize_name(each.metadata.get("Name")): each for each in distributions(path=[str(site)])}

    def all_components(self) -> dict[str, dict[str, Any]]:
        root = self.document["metadata"]["component"]
        return {component["name"]: component for component in [root, *self.document["components"]]}


@pytest.fixture(scope="module", params=PROJECTS)
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Real:
    return Real(tmp_path_factory.mktemp("real"), request.param)


def test_nothing_is_missing_that_the_metadata_can_give(real: Real) -> None:
    """Hash, licence, supplier, place in the graph: held against the metadata as Python's own library reads it."""
    components, installed = real.all_components(), real.installed()
    assert set(components) == set(installed)
    related = {name for pair in edges(real.document) for name in pair}
    for name, component in components.items():
        stated = installed[name].metadata
        assert re.fullmatch("[0-9a-f]{64}", component["hashes"][0]["content"])
        assert component["version"] == installed[name].version
        assert name in related
        classifiers = [c for c in stated.get_all("Classifier") or () if c.startswith("License ::")]
        if stated.get("License-Expression") or stated.get("License") or classifiers:
            assert component["licenses"], name
        people = ("Author", "Author-email", "Maintainer", "Maintainer-email")
        if any(stated.get(field) for field in people) or "https://github.com/" in str(stated.get_all("Project-URL")):
            assert component["supplier"]["name"], name
        addresses = {text.partition(",")[2].strip() for text in stated.get_all("Project-URL") or ()}
        assert addresses <= {reference["url"] for reference in component["externalReferences"]}, name


def test_the_minimum_elements(real: Real) -> None:
    """All of NTIA's, but for whoever says nothing at all of who made it: that is named, and proved from the metadata."""
    score = json.loads(sealwright(real.folder, "check", "wheel.cdx.json", "--json"))
    missing = {element["element"]: element["missing"] for element in score["elements"] if element["missing"]}
    nameless = [
        f"{name} {each.version}"
        for name, each in sorted(real.installed().items())
        if not any(
            each.metadata.get(field)
            for field in ("Author", "Author-email", "Maintainer", "Maintainer-email", "Home-page")
        )
        and not each.metadata.get_all("Project-URL")
    ]
    assert missing == ({"supplier name": nameless, "software producer": nameless} if nameless else {})
    if real.project == "black":
        assert score["scores"] == {"NTIA 2021": 100, "CISA 2025": 100}


def test_the_same_answers_give_the_same_bytes(real: Real) -> None:
    again = sealwright(real.folder, real.wheel.name, "--author", "Example")
    assert json.loads(again) == real.document


def test_agreement_with_cyclonedx_py(real: Real) -> None:
    """The same environment, the same components; each edge that only one of the two has is explained.

    cyclonedx-py adds edges for extras that nobody asked for and for markers that are false: each of those is evaluated
    here once more. It gives a package that came from a local file no purl, and an environment no root, so that we alone have edges from one; here the project is the root.
    """
    peer_file = real.folder / "peer.json"
    command = [str(Path(sys.executable).parent / "cyclonedx-py"), "environment", str(real.venv), "-o", str(peer_file)]
    done = subprocess.run([*command, "--no-validate"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    peer = json.loads(peer_file.read_text())
    ours = json.loads(sealwright(real.folder, str(real.venv), "--offline", "--project", real.project))
    root = ours["metadata"]["component"]
    components = {(component["name"], component["version"]) for component in [root, *ours["components"]]}
    assert components == {(canonicalize_name(c["name"]), c["version"]) for c in peer["components"]}
    assert [c["name"] for c in peer["components"] if "purl" not in c] == [real.project], (
        "it gives a local wheel no purl"
    )
    assert "purl" in root
    peer["metadata"]["component"] = {"bom-ref": "", "name": ""}
    theirs = {(canonicalize_name(a), canonicalize_name(b)) for a, b in edges(peer) if a and a != b}
    assert edges(ours) - theirs == set(), "we say nothing that it does not say"
    assert edges(ours) == edges(real.document), "and the wheel's closure has the same graph as what was installed of it"
    installed = real.installed()
    asked: dict[str, set[str]] = {name: set() for name in installed}
    for _ in range(5):  # extras that active requirements ask for, followed far enough
        for name in installed:
            for requirement in active(installed[name], asked[name]):
                asked.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    for source, target in sorted(theirs - edges(ours)):
        wanted = {canonicalize_name(r.name) for r in active(installed[source], asked[source])}
        assert target not in wanted, f"cyclonedx-py is right about {source} -> {target}"


def active(package: Distribution, extras: set[str]) -> list[Requirement]:
    requirements = [Requirement(text) for text in package.requires or ()]
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


# What the scorer says against a document, and why it is mistaken; each is shown to be so below.
MISTAKEN = {
    r"License included for package .*: MISSING": "it looks only for licences that somebody concluded, not for declared ones",
    r"OSI Approved license for .*: MISSING": "it looks a compound expression up as if it were one identifier",
    r"SPDX Compatible License id included for .*": "it wants an identifier where the metadata has only a name",
}


def audit(program: Path, document: dict[str, Any], folder: Path) -> list[str]:
    path = folder / "scored.cdx.json"
    path.write_text(json.dumps(document))
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    command = [str(program), "-i", str(path), "--offline", "--purlcheck"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert "NTIA" in done.stdout, done.stderr  # its exit code says no more than its lines
    return [line.partition("] ")[2].strip() for line in done.stdout.splitlines() if line.startswith("[ ]")]


def undeclared(value: Any) -> Any:
    """A copy in which no licence says how it was found out, which CycloneDX before 1.6 did not know."""
    if isinstance(value, dict):
        return {key: undeclared(each) for key, each in value.items() if key != "acknowledgement"}
    return [undeclared(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the independent scorer, in an environment of its own."""
    target = tmp_path_factory.mktemp("scorer")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True, timeout=120)
    pip("--python", str(target / "bin/python"), "install", "-q", "--no-compile", SCORER)
    return target / "bin/sbomaudit"


def test_an_independent_scorer(real: Real, scorer: Path, tmp_path: Path) -> None:
    first = audit(scorer, real.document, tmp_path)
    suppliers = [line for line in first if line.startswith("Supplier included")]
    nameless = [name for name, component in real.all_components().items() if "supplier" not in component]
    assert suppliers == [f"Supplier included for package {name}: MISSING" for name in nameless], (
        "we agree on who is nameless"
    )
    verdicts = ["NTIA compliant: FAILED", "NTIA conformant: FAILED"] if nameless else []
    rest = [line for line in first if line not in suppliers + verdicts]
    assert all(any(re.fullmatch(pattern, line) for pattern in MISTAKEN) for line in rest), rest
    second = audit(scorer, undeclared(real.document), tmp_path)
    assert not [line for line in second if line.startswith("License included")], "the same licences, without that word"
    for line in second:
        name = line.removesuffix(": MISSING").removesuffix(": UNKNOWN").rpartition(" for ")[2].removeprefix("package ")
        if line.startswith(("OSI Approved", "SPDX Compatible")):
            licences = real.all_components()[name]["licenses"]
            assert "expression" in licences[0] or len(licences) > 1 or "name" in licences[0]["license"], line
