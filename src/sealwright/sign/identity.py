"""Who signs, for Sigstore: an identity token, and what its claims say before anybody has checked them.

Enters: the environment of a CI job, a token, or a person with a browser. Leaves: `Identity`. The token is a secret: it
is in no message, log or file of ours.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from sealwright.errors import SealwrightError, UndecidedError, UsageError
from sealwright.files.outage import outage

MAX_TOKEN_BYTES = 64 * 1024
_LOOKED_FOR = (
    "Looked for GitHub Actions, GitLab CI (SIGSTORE_ID_TOKEN), Buildkite, CircleCI and Google Cloud. Otherwise: "
    "--identity-token FILE, or run this on a terminal, where a browser asks who you are; --no-sigstore leaves the "
    "Sigstore signature to another signer."
)
_PERMISSION = (
    "GitHub Actions gives no identity to this job: add `permissions: id-token: write` to it. (A pull request from a "
    "fork never gets one.)"
)


class Identity(NamedTuple):
    """Who a token is for. `name` is what the certificate is expected to say, proved by nothing until there is one.

    `certain` is whether Fulcio's rules for that issuer are known here; for others, only the certificate tells.
    """

    name: str
    oidc_issuer: str
    token: str
    certain: bool = False

    def __repr__(self) -> str:
        """Leave the token out: whatever is shown could be logged."""
        return f"Identity(name={self.name!r}, oidc_issuer={self.oidc_issuer!r})"


def ambient_identity() -> Identity | None:
    """Return the identity that this CI job has, or None outside of one.

    Raises UsageError for a job without permission to have one, UndecidedError if it cannot be had now.
    """
    import id as ambient

    try:
        token = ambient.detect_credential("sigstore")
    except ambient.GitHubOidcPermissionCredentialError:
        raise UsageError("this job may not ask for an identity token", _PERMISSION) from None
    except ambient.IdentityError as error:
        raise _ambient_error(str(error)) from None
    except Exception as error:  # noqa: BLE001  what urllib3 throws, and what a broken agent prints
        raise UndecidedError(f"the identity token of this job cannot be had: {outage(error)}") from None
    return read_identity(token) if token is not None else None


def _ambient_error(text: str) -> SealwrightError:
    """What is missing in the job's set-up is told from what may pass; the answer of a service or agent is left out."""
    words = re.split(r", body=|(?<=encountered an error): ", text)[0][:200]
    if "could not find" in words or "not found" in words:
        return UsageError(f"the identity token of this job cannot be had: {words}", _LOOKED_FOR)
    return UndecidedError(f"the identity token of this job cannot be had: {words}", "Try again later.")


def interactive_identity(issuer_url: str) -> Identity:
    """Ask a person who they are, in their browser. Raises UndecidedError.

    OAuth 2.0 with PKCE: https://www.rfc-editor.org/rfc/rfc7636
    """
    from sigstore.oidc import Issuer

    try:
        return read_identity(str(Issuer(issuer_url).identity_token()))
    except SealwrightError:
        raise
    except Exception as error:  # noqa: BLE001  the library lets out its own errors, requests' and pydantic's
        raise UndecidedError(
            f"{issuer_url} gave no identity token: {outage(error)}", "Try again, or use --identity-token FILE."
        ) from None


def no_identity() -> UsageError:
    """The error for a run that has to sign with Sigstore and has no identity."""
    return UsageError("the policy requires a Sigstore signature, and there is no identity to sign as", _LOOKED_FOR)


def read_identity(token: str) -> Identity:
    """Read whom a token (a JWT, RFC 7519) is for. Raises UsageError if it is none, or has expired.

    Nothing of it is verified here: Fulcio does that before it issues a certificate.
    """
    from sigstore.oidc import IdentityToken

    try:
        parsed = IdentityToken(token)
        claims = _claims(token)
        if not isinstance(claims["iss"], str):  # the library believes that it is
            raise TypeError("iss")
    except Exception:  # noqa: BLE001  its text may repeat the token
        raise UsageError(
            "the identity token is none, has expired, or is not meant for Sigstore (audience: sigstore)",
            "Get a new one; most are good for a few minutes only.",
        ) from None
    try:
        name = _NAMES[parsed.issuer](claims)
    except KeyError:
        return Identity(parsed.identity, parsed.federated_issuer, token)
    return Identity(name, parsed.issuer, token, certain=True)


def _claims(token: str) -> dict[str, Any]:
    import jwt

    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


# What Fulcio writes into the certificate: https://github.com/sigstore/fulcio/blob/main/docs/oidc.md
_NAMES: dict[str, Callable[[dict[str, Any]], str]] = {
    "https://token.actions.githubusercontent.com": lambda claims: f"https://github.com/{claims['job_workflow_ref']}",
    "https://gitlab.com": lambda claims: f"https://{claims['ci_config_ref_uri']}",
}
