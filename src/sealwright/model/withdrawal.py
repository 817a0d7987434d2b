"""A withdrawal: the statement of a project that one of its versions must no longer be used.

Enters: facts. Leaves: the bytes that a signer signs, always the same for the same facts, and the file that holds them.
Reads no JSON and judges no signature (sealwright.verify.withdrawn). docs/withdraw.md is the manual.
"""

from sealwright.model.record import Record

WITHDRAWN = "withdrawn.json"
STATEMENT_TYPE = "sealwright-withdrawal"
MAX_WITHDRAWN_BYTES = 1024**2
MAX_ENTRIES = 200
MAX_REASON = 1000
_MAX_SHORT = 200


class Withdrawal(Record):
    """What is called back: `project` is normalised (PEP 503), `version` and `replacement` are PEP 440.

    `replacement` and `advisory` may be empty; `time` is RFC 3339 in UTC, by the signer's own account.
    """

    project: str
    version: str
    reason: str
    replacement: str
    advisory: str
    time: str

    def to_bytes(self) -> bytes:
        """Return the statement that is signed: one JSON object with sorted names, ASCII, without space, and a newline.

        Raises ValueError for a text that is empty where it must not be, too long, or not printable.
        """
        for name, text in self._asdict().items():
            most = MAX_REASON if name == "reason" else _MAX_SHORT
            if len(text) > most or not text.isprintable() or (not text and name not in ("replacement", "advisory")):
                raise ValueError(f"a {name} that is empty, too long or not printable")
        import json

        document = {"_type": STATEMENT_TYPE, "schema": 1} | self._asdict()
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


class SignedWithdrawal(Record):
    """A statement's bytes as text, with armored OpenPGP signatures and Sigstore bundles (JSON) over them."""

    statement: str
    openpgp: tuple[str, ...] = ()
    sigstore: tuple[str, ...] = ()


def render_withdrawals(entries: tuple[SignedWithdrawal, ...]) -> bytes:
    """Write withdrawn.json (docs/withdrawn.schema.json)."""
    import json

    listed = [{"statement": e.statement, "openpgp": list(e.openpgp), "sigstore": list(e.sigstore)} for e in entries]
    return json.dumps({"schema": 1, "withdrawals": listed}, indent=2, ensure_ascii=True).encode() + b"\n"
