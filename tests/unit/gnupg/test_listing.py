"""What gpg lists of a key: only what the key says of itself, in a signature that gpg has found good, counts.

The listings are those of GnuPG 2.4.7, which takes a user ID that nobody has signed, where 2.2 does not even import it.
"""

import pytest

from sealwright.gnupg.listing import Key, Revocation, read_listing

PRIMARY, SUBKEY = "45EFF635D508BF9F4B12F6974AAAA691126B88BC", "F5812696109C67A3BC24577474855EA14100F1BC"
SELF = "sig:!::1:4AAAA691126B88BC:1795978141::::Old <old@example.invalid>:13x::" + PRIMARY + ":::8:"
BINDING = "sig:!::1:4AAAA691126B88BC:1795978141::::Old <old@example.invalid>:18x::" + PRIMARY + ":::8:"


def listed(of_user_id: str, of_subkey: str = BINDING) -> tuple[Key, Key]:
    lines = [
        "tru::1:1795978141:0:3:1:5",
        "pub:-:2048:1:4AAAA691126B88BC:1795978141:::-:::scSC::::::23::0:",
        f"fpr:::::::::{PRIMARY}:",
        "uid:-::::1795978141::8646D093367DC1E3D7FDB3F834C9E9CEDF909D1B::Old <old@example.invalid>::::::::::0:",
        of_user_id,
        "sub:-:255:22:74855EA14100F1BC:1795978141::::::s:::::ed25519::",
        f"fpr:::::::::{SUBKEY}:",
        of_subkey,
        "",
    ]
    primary, subkey = read_listing("\n".join(lines).encode())
    return primary, subkey


def test_a_key_that_says_what_it_is_for() -> None:
    primary, subkey = listed(SELF)
    assert (primary.fingerprint, primary.bound) == (PRIMARY, True)
    assert (subkey.fingerprint, subkey.primary, subkey.bound) == (SUBKEY, PRIMARY, True)
    assert listed(SELF.replace(":13x:", ":1Fx:"))[0].bound, "said of the key directly"


@pytest.mark.parametrize(
    "line",
    [
        "",
        SELF.replace("sig:!", "sig:%"),
        SELF.replace("sig:!", "sig:-"),
        SELF.replace("sig:!", "sig:?"),
        SELF.replace("4AAAA691126B88BC", "74855EA14100F1BC").replace(PRIMARY, SUBKEY),
        SELF.replace(":4AAAA691126B88BC:", "::"),
        SELF.replace(":13x:", ":18x:"),
        SELF.replace("sig:", "rev:").replace(":13x:", ":30x:"),
    ],
    ids=["none", "unreadable", "bad", "unknown", "by another", "by nobody", "of a subkey", "taken back"],
)
def test_a_key_that_does_not(line: str) -> None:
    assert not listed(line)[0].bound
    assert listed(line)[1].bound, "what is said of the subkey is apart"


@pytest.mark.parametrize("line", ["", BINDING.replace("sig:!", "sig:%"), BINDING.replace(":18x:", ":13x:")])
def test_a_subkey_that_nobody_has_bound(line: str) -> None:
    primary, subkey = listed(SELF, line)
    assert (primary.bound, subkey.bound) == (True, False)


def test_a_revoked_picture_before_every_user_id_says_nothing_of_the_key() -> None:
    picture = "uat:r::::::6EDBCEA263D12142B24F5545485194D686744198::1 341::::::::::0:"
    revoked = SELF.replace("sig:", "rev:").replace(":13x:", ":30x,00:")
    head = ["pub:-:255:22:4AAAA691126B88BC:1795978141:::-:::scSC:::::ed25519:::0:", f"fpr:::::::::{PRIMARY}:"]
    user_id = [
        "uid:-::::1795978141::8646D093367DC1E3D7FDB3F834C9E9CEDF909D1B::Old <old@example.invalid>::::::::::0:",
        SELF,
    ]
    (key,) = read_listing("\n".join([*head, picture, revoked, SELF, *user_id]).encode())
    assert (key.revocations, key.bound, key.user_ids) == ((), True, ("Old <old@example.invalid>",))
    of_the_key = revoked.replace(":30x,00:", ":20x,02:")
    (key,) = read_listing("\n".join([*head, of_the_key, picture, revoked, SELF, *user_id]).encode())
    assert key.revocations == (Revocation.COMPROMISED,)
