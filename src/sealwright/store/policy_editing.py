"""The policy, edited: a key listed under a signer, an until-version set, the policy's version raised by one.

Enters: the content of a policy.toml, and what to change. Leaves: the new content, in which everything else stands as it
stood, with its comments and its order; what tomlkit made of it is read again, and must mean exactly what was meant.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from sealwright.errors import PolicyError, UndecidedError
from sealwright.model.policy import OpenPGPKey, Policy, Signer
from sealwright.model.policy_toml import parse_draft

if TYPE_CHECKING:
    from packaging.version import Version

_BY_HAND = "Edit it by hand: docs/policy.md shows every key."


def list_key(content: bytes, signer: str, fingerprint: str) -> bytes:
    """List a key (upper-case hex) under a signer, who is added if need be; unchanged if it is there already.

    Raises PolicyError if another signer holds it, or if the policy is wrong.
    """
    before = parse_draft(content)
    holder = before.signer_of_key(fingerprint)
    if holder is not None:
        if holder.name != signer:
            raise PolicyError(
                f"the policy lists {fingerprint} for {holder.name} already, so it cannot be {signer}'s",
                "One key under two signers would let one person count twice.",
            )
        return content
    alike = [each.name for each in before.signers if each.name.casefold() == signer.casefold() and each.name != signer]
    if alike:
        raise PolicyError(f"the policy calls that signer {alike[0]}", "Write the name as it stands there.")
    key = OpenPGPKey(fingerprint)
    signers = [s._replace(openpgp=(*s.openpgp, key)) if s.name == signer else s for s in before.signers]
    if signer not in {each.name for each in signers}:
        signers.append(Signer(signer, (key,)))

    meant = before._replace(version=before.version + 1, signers=tuple(signers))
    if len(signers) > len(before.signers):
        added = f'\n[[signer]]\nname = {_quoted(signer)}\n[[signer.openpgp]]\nfingerprint = "{fingerprint}"\n'
        return _edited(content, lambda document: None, meant, added)

    def edit(document: Any) -> None:
        import tomlkit

        entry = tomlkit.table()
        entry.add("fingerprint", fingerprint)
        (table,) = (each for each in document["signer"] if each["name"] == signer)
        if table is not document["signer"][-1]:
            entry.add(tomlkit.nl())  # before the next signer
        if "openpgp" in table:
            table["openpgp"].append(entry)
        else:
            keys = tomlkit.aot()
            keys.append(entry)
            table.append("openpgp", keys)

    return _edited(content, edit, meant)


def set_until(content: bytes, fingerprint: str, until: "Version") -> bytes:
    """Let a listed key count up to a version; unchanged if it does. Raises PolicyError."""
    before = parse_draft(content)
    if OpenPGPKey(fingerprint, until) in before.openpgp_keys():
        return content

    def limited(key: OpenPGPKey) -> OpenPGPKey:
        return key._replace(until_version=until) if key.fingerprint == fingerprint else key

    signers = tuple(signer._replace(openpgp=tuple(map(limited, signer.openpgp))) for signer in before.signers)

    def edit(document: Any) -> None:
        for signer in document["signer"]:
            for key in signer.get("openpgp", []):
                if key["fingerprint"].upper() == fingerprint:
                    key["until-version"] = str(until)

    return _edited(content, edit, before._replace(version=before.version + 1, signers=signers))


def raise_version(content: bytes) -> bytes:
    """Raise the policy's version by one, as every change of its folder must. Raises PolicyError."""
    before = parse_draft(content)
    return _edited(content, lambda document: None, before._replace(version=before.version + 1))


def _quoted(text: str) -> str:
    import tomlkit

    return tomlkit.item(text).as_string()


def _edited(content: bytes, edit: Any, meant: Policy, added: str = "") -> bytes:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = content.decode("utf-8")
    try:
        document = tomlkit.parse(text)
        document["version"] = meant.version
        edit(document)
        after = tomlkit.dumps(document)
    except (TOMLKitError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise UndecidedError(f"the policy could not be edited ({type(error).__name__})", _BY_HAND) from error
    edited, after = after, after.rstrip("\n") + "\n" + added if added else after
    lost = Counter(text.splitlines()) - Counter(after.splitlines())
    changed = [line for line in lost if not line.lstrip().startswith(("version", "until-version"))]
    if changed or _comments(text) != _comments(edited) or parse_draft(after.encode()) != meant:
        raise UndecidedError("the policy could not be edited without changing more than was meant", _BY_HAND)
    return after.encode()


def _comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]
