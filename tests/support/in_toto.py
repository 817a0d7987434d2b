"""in-toto's demo, rebuilt with real keys made on the spot: a layout by Alice, links by Bob and Carl, and what spoils them.

https://github.com/in-toto/demo: Bob clones the project and changes it, Carl packages it. The package is here the wheel
and the sdist of tiny-project. in-toto's own demo compares the product by an inspection, which Sealwright refuses: so
the scenario can be rendered with one, for in-toto-verify, or without.
"""

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from in_toto.models._signer import GPGSigner
from in_toto.models.layout import Layout
from in_toto.models.link import Link
from in_toto.models.metadata import Envelope, Metablock
from securesystemslib._gpg.functions import export_pubkey
from securesystemslib.signer import CryptoSigner

from sealwright.model.policy_toml import parse_policy
from sealwright.model.verdict import Check, JudgedArtifact, Outcome
from sealwright.verify.layout import LayoutEvidence, check_layout
from support.forge import Forge
from support.policies import policy_text
from support.world import GPG, SDIST, WHEEL

FAR = "2199-01-01T00:00:00Z"
SIGNERS = """[[signer]]
name = "alice"
[[signer.openpgp]]
fingerprint = "{alice}"
[[signer]]
name = "bob"
[[signer.openpgp]]
fingerprint = "{bob}"
"""


def sha256(content: bytes) -> dict[str, str]:
    return {"sha256": hashlib.sha256(content).hexdigest()}


@dataclass
class People:
    """Alice and Bob with OpenPGP keys, Carl and Dave with keys in files; Mallory has one of each kind."""

    forge: Forge
    files: dict[str, CryptoSigner] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("carl", "dave", "mallory"):
            self.files[name] = CryptoSigner(Ed25519PrivateKey.generate())
        self._keys: dict[str, dict[str, Any]] = {}
        self._added: dict[str, str] = {}

    def add(self, name: str, expires: str = "1y", algorithm: str = "ed25519") -> str:
        """Make one more OpenPGP key, which no policy lists, and return its id."""
        self._added[name] = self.forge.key(name.capitalize(), expires=expires, algorithm=algorithm)
        self._keys.pop(name, None)
        return self.key_id(name)

    def signer(self, name: str) -> Any:
        if name in self.files:
            return self.files[name]
        return GPGSigner(self.fingerprint(name).lower(), str(self.forge.home.folder))

    def fingerprint(self, name: str) -> str:
        return self._added.get(name) or str(getattr(self.forge, name.removesuffix("-gpg")))

    def key(self, name: str) -> dict[str, Any]:
        """The public key as in-toto writes it into layouts."""
        if name not in self._keys:
            if name in self.files:
                key = self.files[name].public_key
                self._keys[name] = key.to_dict() | {"keyid": key.keyid}
            else:
                self._keys[name] = export_pubkey(self.fingerprint(name).lower(), str(self.forge.home.folder))
        return copy.deepcopy(self._keys[name])

    def key_id(self, name: str) -> str:
        return str(self.key(name)["keyid"])


@dataclass
class Written:
    """A link as somebody wrote it. `late` is done to its document after it was signed, `file` is another name for it."""

    by: str
    link: dict[str, Any]
    late: Callable[[dict[str, Any]], None] = lambda document: None
    file: str = ""
    envelope: bool = False


@dataclass
class Scenario:
    """What a release offers, before it is signed; a test spoils a fresh one."""

    people: People
    layout: dict[str, Any]
    links: list[Written]
    artifacts: dict[str, bytes]
    signed_by: list[str] = field(default_factory=lambda: ["alice"])
    late: Callable[[dict[str, Any]], None] = lambda document: None
    files: dict[str, bytes] = field(default_factory=dict)
    openpgp: int = 1
    bobs_other_key: str = ""

    def step(self, name: str) -> dict[str, Any]:
        return next(step for step in self.layout["steps"] if step["name"] == name)

    def written(self, name: str) -> Written:
        return next(written for written in self.links if written.link["name"] == name)

    def render(self, *, inspect: bool = False) -> LayoutEvidence:
        """Sign everything; with `inspect`, as in-toto's demo compares the product."""
        layout = copy.deepcopy(self.layout)
        if inspect:
            layout["inspect"] += [inspection(self.layout["steps"][-1]["name"])]
        content = sign(self.people, Layout.read(layout), self.signed_by, self.late)
        links = {}
        for written in self.links:
            link = Link.read(copy.deepcopy(written.link))
            name = written.file or f"{written.link['name']}.{self._signing(written.by):.8}.link"
            links[name] = sign(self.people, link, [written.by], written.late, envelope=written.envelope)
        return LayoutEvidence(content, links | self.files)

    def _signing(self, name: str) -> str:
        """The id of the key that signs: a subkey, if there is one."""
        key = self.people.key(name)
        return next(iter(key.get("subkeys", {})), key["keyid"])

    def check(
        self, now: datetime | None = None, evidence: LayoutEvidence | None = None, gpg: str | None = GPG, **keys: bytes
    ) -> tuple[Check, ...]:
        """Judge it with Alice and Bob in the policy; `keys` replace key files in the trust folder."""
        forge = self.people.forge
        signers = SIGNERS.format(alice=forge.alice, bob=forge.bob)
        text = policy_text(signers, count=self.openpgp, openpgp=self.openpgp, layout="true")
        files = {
            getattr(forge, name): keys.get(name) or forge.public(getattr(forge, name)) for name in ("alice", "bob")
        }
        if self.bobs_other_key:
            other = self.people.fingerprint(self.bobs_other_key)
            text += f'[[signer.openpgp]]\nfingerprint = "{other}"\n'
            files[other] = forge.public(other)
        policy = parse_policy(text.encode())
        kinds = {WHEEL: "wheel", SDIST: "sdist"}
        artifacts = tuple(
            JudgedArtifact(name, kinds.get(name, "sbom"), sha256(content)["sha256"], len(content))
            for name, content in self.artifacts.items()
        )
        return check_layout(evidence or self.render(), artifacts, policy, files, None, now or datetime.now(UTC), gpg)


def inspection(last: str) -> dict[str, Any]:
    rules = []
    for pattern in ("*.whl", "*.tar.gz"):
        rules += [["MATCH", pattern, "WITH", "PRODUCTS", "IN", "dist", "FROM", last], ["DISALLOW", pattern]]
    product = {"_type": "inspection", "name": "product", "run": ["true"], "expected_materials": rules}
    return product | {"expected_products": []}


def sign(
    people: People, what: Any, by: list[str], late: Callable[[dict[str, Any]], None], *, envelope: bool = False
) -> bytes:
    metadata = Envelope.from_signable(what) if envelope else Metablock(signed=what)
    for name in by:
        metadata.create_signature(people.signer(name))
    document = metadata.to_dict()
    late(document)
    return json.dumps(document).encode()


def failed(checks: tuple[Check, ...]) -> set[str]:
    """The ids of the failed checks that cost something."""
    return {check.id for check in checks if check.outcome is Outcome.FAIL and check.costs}


def reported(checks: tuple[Check, ...]) -> dict[str, str]:
    """What is said of the links that do not count."""
    return {c.subject: c.got for c in checks if c.outcome is Outcome.FAIL and not c.costs}


FOO, CHANGED, REPORT = sha256(b"print('foo')"), sha256(b"VERSION = 1\nprint('foo')"), sha256(b"2 passed")
BUILD = ["python", "-m", "build"]


def demo(people: People) -> Scenario:
    """The demo, in order: clone, update-version by hand, test, package."""
    artifacts = {WHEEL: b"the wheel", SDIST: b"the sdist"}
    bob, carl = people.key_id("bob"), people.key_id("carl")
    clone, update = ["git", "clone", "https://example.invalid/demo"], "update-version"
    steps = [
        _step("clone", bob, clone, [["DISALLOW", "*"]], [["CREATE", "demo/foo.py"], ["DISALLOW", "*"]]),
        _step(update, bob, [], _from("clone"), [["MODIFY", "demo/foo.py"], ["DISALLOW", "*"]]),
        _step("test", carl, ["pytest"], _from(update), [["CREATE", "report"], ["ALLOW", "demo/*"], ["DISALLOW", "*"]]),
        _step("package", carl, BUILD, _from(update), [["CREATE", "dist/*"], ["ALLOW", "demo/*"], ["DISALLOW", "*"]]),
    ]
    keys = {people.key_id(name): people.key(name) for name in ("bob", "carl", "dave")}
    layout = {"_type": "layout", "readme": "", "expires": FAR, "keys": keys, "steps": steps, "inspect": []}
    built = {f"dist/{name}": sha256(content) for name, content in artifacts.items()}
    links = [
        Written("bob", _link("clone", {}, {"demo/foo.py": FOO}, clone, 0)),
        Written("bob", _link(update, {"demo/foo.py": FOO}, {"demo/foo.py": CHANGED}, [], None)),
        Written("carl", _link("test", {"demo/foo.py": CHANGED}, {"report": REPORT}, ["pytest"], 0)),
        Written("carl", _link("package", {"demo/foo.py": CHANGED}, built, BUILD, 0)),
    ]
    return Scenario(people, layout, links, artifacts)


def _from(step: str) -> list[list[str]]:
    return [["MATCH", "demo/*", "WITH", "PRODUCTS", "FROM", step], ["DISALLOW", "*"]]


def _step(name: str, by: str, command: list[str], materials: Any, products: Any) -> dict[str, Any]:
    more = {"expected_materials": materials, "expected_products": products, "expected_command": command}
    return {"_type": "step", "name": name, "pubkeys": [by], "threshold": 1} | more


def _link(name: str, materials: Any, products: Any, command: list[str], returned: int | None) -> dict[str, Any]:
    byproducts = {} if returned is None else {"return-value": returned, "stdout": "", "stderr": ""}
    more = {"command": command, "byproducts": byproducts, "environment": {}}
    return {"_type": "link", "name": name, "materials": materials, "products": products} | more


class Case(NamedTuple):
    """Something done to the demo, and which checks must fail of it; `kind` if in-toto-verify lets it pass."""

    spoil: Callable[[Scenario], None]
    fails: set[str]
    kind: bool = False


def _expired(s: Scenario) -> None:
    s.layout["expires"] = "2020-01-01T00:00:00Z"


def _link_missing(s: Scenario) -> None:
    s.links.remove(s.written("package"))


def _changed_between_steps(s: Scenario) -> None:
    s.written("package").link["materials"]["demo/foo.py"] = sha256(b"import evil")


def _added_between_steps(s: Scenario) -> None:
    s.written("package").link["materials"]["demo/evil.py"] = sha256(b"import evil")


def _product_nobody_foresaw(s: Scenario) -> None:
    s.written("package").link["products"]["evil.sh"] = sha256(b"evil")


def _by_somebody_else(s: Scenario) -> None:
    s.written("package").by = "mallory"


def _by_another_functionary(s: Scenario) -> None:
    s.written("package").by = "dave"


def _in_the_name_of_another(s: Scenario) -> None:
    written = s.written("package")
    written.by, carl = "mallory", s.people.key_id("carl")
    written.file = f"package.{carl:.8}.link"
    written.late = lambda document: document["signatures"][0].update(keyid=carl)


def _link_edited(s: Scenario) -> None:
    s.written("package").late = lambda document: document["signed"]["command"].append("--evil")


def _openpgp_link_edited(s: Scenario) -> None:
    s.written("clone").late = lambda document: document["signed"]["environment"].update(a="b")


def _link_unsigned(s: Scenario) -> None:
    s.written("package").late = lambda document: document["signatures"].clear()


def _link_of_another_step(s: Scenario) -> None:
    clone = s.written("clone")
    bob = s._signing("bob")
    s.links[1] = Written("bob", clone.link, file=f"update-version.{bob:.8}.link")


def _link_no_json(s: Scenario) -> None:
    s.links.remove(s.written("package"))
    s.files[f"package.{s.people.key_id('carl'):.8}.link"] = b"{"


def _signed_by_mallory(s: Scenario) -> None:
    s.signed_by = ["mallory-gpg"]


def _signed_by_a_file_key(s: Scenario) -> None:
    s.signed_by = ["carl"]


def _unsigned(s: Scenario) -> None:
    s.signed_by = []


def _layout_edited(s: Scenario) -> None:
    s.late = lambda document: document["signed"]["steps"].pop(2)


def _too_few(s: Scenario) -> None:
    s.step("package").update(threshold=2, pubkeys=[s.people.key_id("carl"), s.people.key_id("dave")])


def _two_stories(s: Scenario) -> None:
    _too_few(s)
    other = copy.deepcopy(s.written("package").link)
    other["products"]["dist/more"] = sha256(b"more")
    s.links.append(Written("dave", other))


def _other_product(s: Scenario) -> None:
    s.artifacts[WHEEL] = b"another wheel"


def _added_product(s: Scenario) -> None:
    del s.written("package").link["products"][f"dist/{SDIST}"]


def _returned_7(s: Scenario) -> None:
    s.written("test").link["byproducts"]["return-value"] = 7


def _other_command(s: Scenario) -> None:
    s.written("package").link["command"] = ["python", "-m", "build", "--no-isolation"]


def _made_nothing(s: Scenario) -> None:
    s.written("test").link["products"] = {}


CASES = {
    "expired": Case(_expired, {"layout.expired"}),
    "link_missing": Case(_link_missing, {"layout.step"}),
    "product_changed_between_two_steps": Case(_changed_between_steps, {"layout.rule"}),
    "file_added_between_two_steps": Case(_added_between_steps, {"layout.rule"}),
    "product_nobody_foresaw": Case(_product_nobody_foresaw, {"layout.rule"}),
    "link_by_somebody_else": Case(_by_somebody_else, {"layout.threshold"}),
    "link_by_a_functionary_of_another_step": Case(_by_another_functionary, {"layout.threshold"}),
    "link_in_the_name_of_another": Case(_in_the_name_of_another, {"layout.threshold"}),
    "link_edited": Case(_link_edited, {"layout.threshold"}),
    "openpgp_link_edited": Case(_openpgp_link_edited, {"layout.threshold"}),
    "link_unsigned": Case(_link_unsigned, {"layout.threshold"}),
    "link_of_another_step": Case(_link_of_another_step, {"layout.threshold"}),
    "link_that_is_no_json": Case(_link_no_json, {"layout.threshold"}),
    "layout_by_somebody_else": Case(_signed_by_mallory, {"layout.signers"}),
    "layout_by_a_functionary": Case(_signed_by_a_file_key, {"layout.signers"}),
    "layout_unsigned": Case(_unsigned, {"layout.signers"}),
    "layout_edited": Case(_layout_edited, {"layout.signers"}),
    "too_few_links": Case(_too_few, {"layout.threshold"}),
    "two_links_that_differ": Case(_two_stories, {"layout.agreement"}),
    "another_wheel_than_was_built": Case(_other_product, {"layout.products"}),
    "an_sdist_that_was_not_built": Case(_added_product, {"layout.products"}),
    "command_that_returned_7": Case(_returned_7, {"layout.returned"}, kind=True),
    "another_command": Case(_other_command, {"layout.command"}, kind=True),
    "create_without_a_product": Case(_made_nothing, {"layout.created"}, kind=True),
}


def sublayout_that_runs(scenario: Scenario, command: list[str]) -> None:
    """Put a layout with an inspection in place of Carl's link, signed by Carl, who may make that link."""
    scenario.links.remove(scenario.written("package"))
    attack = {
        "_type": "inspection",
        "name": "attack",
        "run": command,
        "expected_materials": [],
        "expected_products": [],
    }
    layout = {"_type": "layout", "readme": "", "expires": FAR, "keys": {}, "steps": [], "inspect": [attack]}
    content = sign(scenario.people, Layout.read(layout), ["carl"], lambda document: None)
    scenario.files[f"package.{scenario.people.key_id('carl'):.8}.link"] = content
