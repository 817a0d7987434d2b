"""pip's own configuration, read as pip reads it: pip itself says what is right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sealwright.errors import UsageError
from sealwright.store.places.credentials import OriginCredentials
from sealwright.store.places.pip_settings import DEFAULT_INDEX, read_pip_settings

# What pip's own install command would use, by its own parser.
ASK_PIP = """
from pip._internal.commands import create_command
command = create_command("install")
found, _ = command.parse_args(["x"])
print(found.index_url, found.proxy or "", found.cert or "", found.client_cert or "", float(found.timeout), found.retries, sep="|")
"""


def ours(environ: dict[str, str]) -> str:
    found = read_pip_settings(environ)
    timeout, retries = found.timeout or 15.0, 5 if found.retries is None else found.retries
    return f"{found.index_url}|{found.proxy}|{found.certificates}|{found.client_certificate}|{timeout}|{retries}"


def theirs(environ: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "-c", ASK_PIP], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("files", "variables"),
    [
        ({}, {}),
        ({".config/pip/pip.conf": "[global]\nindex-url = https://a.example/simple\ntimeout = 60\n"}, {}),
        ({".pip/pip.conf": "[global]\nindex_url = https://a.example/\n", ".config/pip/pip.conf": "[global]\nproxy = http://p:1\n"}, {}),
        ({".config/pip/pip.conf": "[global]\nindex-url = https://a.example/\n[install]\nindex-url = https://b.example/\n"}, {}),
        ({".config/pip/pip.conf": "[download]\nindex-url = https://a.example/\n"}, {}),
        ({".config/pip/pip.conf": "[global]\nindex-url = https://a.example/\n"}, {"PIP_INDEX_URL": "https://b.example/"}),
        ({".config/pip/pip.conf": "[global]\nindex-url = https://a.example/\n"}, {"PIP_INDEX_URL": ""}),
        ({".config/pip/pip.conf": "[global]\nretries = 1\n"}, {"PIP_DEFAULT_TIMEOUT": "33", "PIP_CLIENT_CERT": "/c"}),
        ({"xdg/pip/pip.conf": "[global]\ncert = /x\n", ".config/pip/pip.conf": "[global]\nindex-url = https://a.example/\n"}, {"XDG_CONFIG_DIRS": "{home}/xdg"}),
        ({"own/pip/pip.conf": "[global]\nindex-url = https://a.example/\n"}, {"XDG_CONFIG_HOME": "{home}/own"}),
        ({"named": "[global]\nindex-url = https://a.example/\n", ".config/pip/pip.conf": "[global]\nproxy = http://p:1\n"}, {"PIP_CONFIG_FILE": "{home}/named"}),
        ({".config/pip/pip.conf": "[global]\nproxy = http://p:1\n"}, {"PIP_CONFIG_FILE": "{home}/absent"}),
        ({".config/pip/pip.conf": "[global]\nproxy = http://p:1\n"}, {"PIP_CONFIG_FILE": os.devnull}),
    ],
)  # fmt: skip
def test_as_pip_does(tmp_path: Path, files: dict[str, str], variables: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "XDG_CONFIG_DIRS": str(tmp_path / "none")}
    environ |= {name: value.replace("{home}", str(tmp_path)) for name, value in variables.items()}
    assert ours(environ) == theirs(environ)


def test_what_is_not_said(tmp_path: Path) -> None:
    found = read_pip_settings({"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull})
    assert (found.index_url, found.keyring, found.timeout, found.retries) == (DEFAULT_INDEX, True, None, None)


def test_certificates_as_requests_finds_them(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "CURL_CA_BUNDLE": "/curl"}
    assert read_pip_settings(environ).certificates == "/curl"
    assert read_pip_settings(environ | {"REQUESTS_CA_BUNDLE": "/requests"}).certificates == "/requests"
    assert read_pip_settings(environ | {"PIP_CERT": "/pip"}).certificates == "/pip"


@pytest.mark.parametrize("content", [b"no section\n", b"[global]\n\xff\n", b"[global]\na=1\na=2\n", b"x" * 300_000])
def test_a_file_that_pip_cannot_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pip.conf").write_bytes(content)
    with pytest.raises(UsageError):
        read_pip_settings({"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")})


def test_nonsense_is_not_said(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "PIP_TIMEOUT": "soon", "PIP_RETRIES": "many"}
    found = read_pip_settings(environ)
    assert (found.timeout, found.retries) == (None, 0)


class TestCredentials:
    def test_an_address_with_a_name_and_a_password(self, tmp_path: Path) -> None:
        said = OriginCredentials()
        assert (
            said.add_address("https://me:p%40ss@i.example:8443/s/", {"HOME": str(tmp_path)})
            == "https://i.example:8443/s/"
        )
        assert said.known("https://i.example:8443") == "Basic bWU6cEBzcw=="
        for other in ("https://i.example:443", "http://i.example:8443", "https://i.example.evil.example:8443"):
            assert not said.known(other)

    def test_netrc(self, tmp_path: Path) -> None:
        netrc = tmp_path / "own"
        netrc.write_text("machine i.example login me password pass\n")
        netrc.chmod(0o600)
        said = OriginCredentials()
        said.add_address("https://i.example/s/", {"HOME": str(tmp_path), "NETRC": str(netrc)})
        assert said.known("https://i.example:443").startswith("Basic ")
        other = OriginCredentials()
        other.add_address("https://you@i.example/s/", {"HOME": str(tmp_path), "NETRC": str(netrc)})
        assert other.known("https://i.example:443") == "Basic eW91Og=="  # another name than netrc has

    def test_a_netrc_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / ".netrc").write_text("machine\n")
        said = OriginCredentials()
        said.add_address("https://i.example/s/", {"HOME": str(tmp_path)})
        assert not said.known("https://i.example:443")

    def test_the_keyring_is_asked_for_the_named_index_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import keyring
        from keyring.credentials import SimpleCredential

        asked: list[tuple[str, str | None]] = []

        def get(service: str, name: str | None) -> SimpleCredential | None:
            asked.append((service, name))
            return SimpleCredential("me", "pass") if service == "i.example" else None

        monkeypatch.setattr(keyring, "get_credential", get)
        said = OriginCredentials(keyring=True)
        said.add_address("https://me@i.example/s/", {"HOME": "/nonexistent"})
        assert not said.asked("https://evil.example:443")
        assert said.asked("https://i.example:443") == "Basic bWU6cGFzcw=="
        assert asked == [("https://i.example/s/", "me"), ("i.example", "me")]

    def test_a_keyring_that_fails_has_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import keyring

        def fail(service: str, name: str | None) -> None:
            raise RuntimeError("locked")

        monkeypatch.setattr(keyring, "get_credential", fail)
        said = OriginCredentials(keyring=True)
        said.add_address("https://i.example/s/", {"HOME": "/nonexistent"})
        assert not said.asked("https://i.example:443")
