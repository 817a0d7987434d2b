"""The logs over HTTP: their heads are signed, and what they were given is in them."""

import base64
import hashlib
import itertools

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore._internal.trust import KeyringPurpose
from sigstore._utils import KeyID
from support.sigstore import client

from sealwright.sandbox.sigstore import Sigstore


def climb(leaf_hash: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to. RFC 9162, 2.1.3.2."""
    found, last = leaf_hash, size - 1
    for sibling in path:
        assert last > 0
        if index % 2 or index == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return found


def test_each_certificate_is_in_the_ct_log(sigstore: Sigstore) -> None:
    certificates = [client(sigstore).sign().signing_certificate for _ in range(3)]
    base = f"{sigstore.urls.ct_log}/ct/v1"
    head = requests.get(f"{base}/get-sth", timeout=30).json()
    root = base64.b64decode(head["sha256_root_hash"])
    entries = requests.get(f"{base}/get-entries", params={"start": 0, "end": 1000}, timeout=30).json()["entries"]
    leaves = [base64.b64decode(entry["leaf_input"]) for entry in entries]
    assert len(leaves) == head["tree_size"]
    for certificate in certificates:
        [leaf] = [each for each in leaves if certificate.tbs_precertificate_bytes in each]
        leaf_hash = hashlib.sha256(b"\x00" + leaf).digest()
        asked = {"hash": base64.b64encode(leaf_hash).decode(), "tree_size": head["tree_size"]}
        proof = requests.get(f"{base}/get-proof-by-hash", params=asked, timeout=30).json()
        path = [base64.b64decode(each) for each in proof["audit_path"]]
        assert climb(leaf_hash, proof["leaf_index"], head["tree_size"], path) == root
    asked["tree_size"] += 1
    assert requests.get(f"{base}/get-proof-by-hash", params=asked, timeout=30).status_code == 404
    for start, end in itertools.permutations((0, 1, 10**6), 2):
        status = requests.get(f"{base}/get-entries", params={"start": start, "end": end}, timeout=30).status_code
        assert status == (200 if start < min(end, head["tree_size"]) else 400)


def test_the_head_of_the_ct_log_is_signed(sigstore: Sigstore) -> None:
    head = requests.get(f"{sigstore.urls.ct_log}/ct/v1/get-sth", timeout=30).json()
    signed = b"\x00\x01" + head["timestamp"].to_bytes(8) + head["tree_size"].to_bytes(8)
    signature = base64.b64decode(head["tree_head_signature"])
    key = load_der_public_key(base64.b64decode(sigstore.trusted_root()["ctlogs"][0]["publicKey"]["rawBytes"]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert signature[:2] == b"\x04\x03"
    key.verify(signature[4:], signed + base64.b64decode(head["sha256_root_hash"]), ec.ECDSA(SHA256()))


def test_the_checkpoints_of_both_logs_are_signed(sigstore: Sigstore) -> None:
    keyring = client(sigstore).config.trusted_root.rekor_keyring(KeyringPurpose.VERIFY)
    notes = [
        requests.get(f"{sigstore.urls.rekor1}/api/v1/log", timeout=30).json()["signedTreeHead"],
        requests.get(f"{sigstore.urls.rekor2}/api/v2/checkpoint", timeout=30).text,
    ]
    for note, log in zip(notes, sigstore.trusted_root()["tlogs"], strict=True):
        signed = SignedCheckpoint.from_text(note).signed_note
        signed.verify(keyring, KeyID(base64.b64decode(log["logId"]["keyId"])))
        assert {each.name for each in signed.signatures} == {"127.0.0.1"}
