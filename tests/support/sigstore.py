"""The real sigstore-python as a client of the sandbox: it signs, and it verifies what it gets back from JSON."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore.dsse import Statement, StatementBuilder, Subject
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import Signer, SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from sealwright.sandbox.sigstore import EMAIL_ISSUER, Sigstore

ALICE = "alice@example.com"
BY_ALICE = Identity(identity=ALICE, issuer=EMAIL_ISSUER)
KEY = ec.generate_private_key(ec.SECP256R1())
CONTENT = b"the bytes of an artifact\n"
CONFIGS = {"rekor1": (1, False), "rekor1-timestamps": (1, True), "rekor2-timestamps": (2, True)}


class Client(NamedTuple):
    """sigstore-python with one trust config of the sandbox."""

    sigstore: Sigstore
    config: ClientTrustConfig

    @contextmanager
    def signer(self, token: str = "") -> Iterator[Signer]:
        """One certificate; for Alice if no other token is given."""
        identity = IdentityToken(token or self.sigstore.email_token(ALICE))
        with SigningContext.from_trust_config(self.config).signer(identity) as signer:
            yield signer

    def sign(self, content: bytes = CONTENT) -> Bundle:
        with self.signer() as signer:
            return signer.sign_artifact(content)

    def sign_statement(self, statement: Statement) -> Bundle:
        with self.signer() as signer:
            return signer.sign_dsse(statement)

    def verify(self, bundle: Bundle, content: bytes = CONTENT, policy: Identity = BY_ALICE) -> None:
        verifier = Verifier(trusted_root=self.config.trusted_root)
        verifier.verify_artifact(content, Bundle.from_json(bundle.to_json()), policy)

    def verify_statement(self, bundle: Bundle, policy: Identity = BY_ALICE) -> Any:
        verifier = Verifier(trusted_root=self.config.trusted_root)
        kind, payload = verifier.verify_dsse(Bundle.from_json(bundle.to_json()), policy)
        assert kind == "application/vnd.in-toto+json"
        return json.loads(payload)


def client(sigstore: Sigstore, name: str = "rekor1-timestamps") -> Client:
    rekor, timestamps = CONFIGS[name]
    config = sigstore.trust_config(rekor=rekor, timestamps=timestamps)
    return Client(sigstore, ClientTrustConfig.from_json(json.dumps(config)))


def statement(content: bytes = CONTENT, builder: str = "https://example.invalid/builder") -> Statement:
    """SLSA provenance of a file called artifact.txt."""
    subject = Subject(name="artifact.txt", digest={"sha256": hashlib.sha256(content).hexdigest()})
    predicate = {
        "buildDefinition": {"buildType": "https://example.invalid/build", "externalParameters": {}},
        "runDetails": {"builder": {"id": builder}},
    }
    builder_of = StatementBuilder().subjects([subject]).predicate_type("https://slsa.dev/provenance/v1")
    return builder_of.predicate(predicate).build()


def propose_hashedrekord(content: bytes) -> dict[str, Any]:
    """What a client without a certificate would propose to Rekor v1: signed by KEY alone."""
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = base64.b64encode(KEY.sign(content, ec.ECDSA(SHA256()))).decode()
    signature = {"content": signed, "publicKey": {"content": base64.b64encode(pem).decode()}}
    digest = {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}
    return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {"data": {"hash": digest}, "signature": signature}}
