"""The text of a policy, as a test needs it: what it does not name is as plain as can be."""

from support.world import PROJECT

_FAR = "2099-01-01T00:00:00Z"
_REQUIRE = ("release", "provenance", "sbom", "audit", "layout")


def policy_text(
    signers: str, *, project: str = PROJECT, repository: str = "https://example.invalid/tiny-project",
    root: str = "production", count: int = 1, openpgp: int = 0, sigstore: int = 0, **required: str,
) -> str:  # fmt: skip
    """A whole policy.toml; `count` is the threshold, `signers` its last tables, `required` what is not false."""
    wanted = "\n".join(f"{name} = {required.pop(name, 'false')}" for name in _REQUIRE)
    assert not required
    return f"""schema = 1
project = "{project}"
repository = "{repository}"
version = 1
expires = {_FAR}
sigstore-root = "{root}"

[places]
artifacts = "index"
evidence = "index"

[release]
tag = "v{{version}}"

[require]
signers = {count}
openpgp = {openpgp}
sigstore = {sigstore}
{wanted}

{signers}"""
