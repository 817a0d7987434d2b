"""PyPI tokens made with a key of the tests' own, and a keyring in memory."""

import pypitoken
from keyring.backend import KeyringBackend

KEY = "the key that only the service has"
ADD = ["--service", "pypi", "--scope", "project:pkg", "--owner", "me", "--purpose", "upload"]


def token(**restrictions: object) -> str:
    made = pypitoken.Token.create(domain="pypi.org", identifier="canary-id", key=KEY)
    if restrictions:
        made.restrict(**restrictions)
    return str(made.dump())


class Memory(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]
