"""Where trust comes from, if that place lies: on the web, and in a Git repository."""

import gzip
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.archives import git
from support.lying import Handler, drip, listening
from support.pinning import offer_of
from support.world import World

from sealwright.errors import PolicyError, SealwrightError, UndecidedError, UsageError
from sealwright.jobs.trust import look_at
from sealwright.jobs.trust_source import find_source
from sealwright.store.trust_source import WebSource, web_source
from sealwright.store.trust_sums import parse_sums
from sealwright.store.trust_sums_writing import write_sums

Serve = Callable[[Handler], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda handler: stack.enter_context(listening(handler)).rpartition("/")[0]


class Site:
    """A web folder of plain files, in which single answers can be replaced; `asked` are the paths in order."""

    def __init__(self, folder: Path) -> None:
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.instead: dict[str, bytes] = {}
        self.asked: list[str] = []

    def serve(self, stack: ExitStack) -> str:
        import http.server
        import threading

        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                site.asked.append(name)
                if name in site.instead:
                    self.wfile.write(site.instead[name])
                    return
                content = site.files.get(name)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *args: object) -> None:
                pass

        server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        stack.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/project/keys"


@pytest.fixture
def site(world: World) -> Iterator[tuple[Site, str]]:
    write_sums(world.folder / "keys")
    made = Site(world.folder / "keys")
    with ExitStack() as stack:
        yield made, made.serve(stack)


def read(url: str, data: Path) -> str:
    source = find_source(url, os.environ)
    offer = look_at(source, data, replace=False, now=datetime.now(UTC), gpg=None)
    return offer.trust.fingerprint


def test_a_web_folder_has_the_fingerprint_of_the_folder(site: tuple[Site, str], world: World, data_home: Path) -> None:
    made, url = site
    expected = offer_of(world.folder / "keys", data_home, gpg=None).trust.fingerprint
    assert read(url, data_home) == read(url + "/", data_home) == expected
    assert made.asked[0] == "SHA256SUMS"
    assert len(made.asked) == 2 * len(made.files)


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode() + body


FAULTS = {
    "redirect to a file": (answer("302 Found", "Location: file:///etc/passwd"), UndecidedError, "sends elsewhere"),
    "redirect to another host": (answer("301 M", "Location: https://example.org/x"), UndecidedError, "sends elsewhere"),
    "redirect within": (answer("307 M", "Location: /SHA256SUMS"), UndecidedError, "sends elsewhere"),
    "not there": (answer("404 N"), UsageError, "is not there"),
    "a fault": (answer("500 N"), UndecidedError, "status 500"),
    "too many requests": (answer("429 N", "Retry-After: 99999"), UndecidedError, "status 429"),
    "cut": (answer("200 OK", "Content-Length: 999", body=b"x"), UndecidedError, "cannot be fetched"),
    "a bomb": (
        answer("200 OK", "Content-Encoding: gzip", body=gzip.compress(bytes(10**7))),
        UndecidedError,
        "not asked for",
    ),
    "too large": (answer("200 OK", body=b"x" * 5 * 1024**2), UndecidedError, "larger than"),
    "nothing": (b"", UndecidedError, "cannot be fetched"),
    "no HTTP": (b"hello\r\n\r\n", UndecidedError, "cannot be fetched"),
}


@pytest.mark.parametrize("file", ["SHA256SUMS", "policy.toml"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_web_folder_with_faults(site: tuple[Site, str], data_home: Path, fault: str, file: str) -> None:
    made, url = site
    made.instead[file], kind, words = FAULTS[fault]
    with pytest.raises(kind, match=words):
        read(url, data_home)


def test_an_endless_answer_has_an_end(serve: Serve) -> None:
    began = time.monotonic()
    for start, drop in ((b"HTTP/1.1 200 OK\r\n\r\n", b"x"), (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"), (b"", b"")):
        with pytest.raises(UndecidedError):
            WebSource(serve(drip(start, drop)) + "/", seconds=0.7).read()
    assert time.monotonic() - began < 30


def test_a_file_that_is_not_what_the_listing_says(site: tuple[Site, str], data_home: Path) -> None:
    made, url = site
    made.files["policy.toml"] += b"\n"
    with pytest.raises(PolicyError, match="is not what SHA256SUMS lists"):
        read(url, data_home)


@pytest.mark.parametrize(
    "listing",
    [
        b"",
        b"x",
        b"\xff\n",
        b"0" * 64 + b"  ../policy.toml\n",
        b"0" * 64 + b"  /etc/passwd\n",
        b"0" * 64 + b"  SHA256SUMS\n",
        b"0" * 64 + b" *policy.toml\n",
        b"0" * 64 + b"  .hidden\n",
        (b"0" * 64 + b"  a\n") * 2,
        b"0" * 64 + b"  b\n" + b"0" * 64 + b"  a\n",
        b"0" * 64 + b"  a\r\n",
        b"<html>",
    ],
)
def test_a_listing_that_is_none(site: tuple[Site, str], data_home: Path, listing: bytes) -> None:
    made, url = site
    made.files["SHA256SUMS"] = listing
    with pytest.raises(ValueError, match=r"list of digests|ASCII|newline|sorted"):
        parse_sums(listing)
    with pytest.raises(PolicyError):
        read(url, data_home)
    assert made.asked == ["SHA256SUMS"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/keys",
        "ftp://127.0.0.1/keys",
        "file:///etc",
        "https://user:secret@example.org/",
        "https://token@example.org/",
        "https://example.org/?a=b",
        "https://example.org/#x",
        "https://",
        "https://[::1/",
        "https://example.org:x/",
        "http://127.0.0.1.example.org/",
        "https://a b/",
    ],
)
def test_no_url_of_a_trust_folder(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        web_source(url)
    assert "secret" not in refused.value.message


def test_the_place_of_the_releases_is_no_place_for_trust(site: tuple[Site, str], world: World, data_home: Path) -> None:
    made, url = site
    base = url.rpartition("/")[0].replace("http://", "https://")
    text = made.files["policy.toml"].decode().replace('evidence = "index"', f'evidence = "{base}"')
    world.policy.write_text(text)
    write_sums(world.folder / "keys")
    made.files = {path.name: path.read_bytes() for path in (world.folder / "keys").iterdir()}
    with pytest.raises(UsageError, match="where the releases"):
        read(url, data_home)


@pytest.fixture
def repository(world: World) -> tuple[Path, str]:
    folder = world.folder / "repository"
    shutil.copytree(world.folder / "keys", folder / "keys")
    return folder, _commit(folder)


def _commit(folder: Path) -> str:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def test_a_repository_at_a_commit(repository: tuple[Path, str], world: World, data_home: Path) -> None:
    folder, commit = repository
    expected = offer_of(world.folder / "keys", data_home, gpg=None).trust.fingerprint
    ran = world.folder / "a hook ran"
    hook = folder / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    hook.chmod(0o755)
    for text in (
        f"git+{folder}@{commit}",
        f"git+file://{folder}@{commit}#subdirectory=keys",
        f"git+{folder}@{commit}#keys/",
    ):
        assert read(text, data_home) == expected
    assert not ran.exists()
    shutil.rmtree(folder / "keys")
    _commit(folder)
    assert read(f"git+{folder}@{commit}", data_home) == expected


def test_no_commit_no_trust(repository: tuple[Path, str], data_home: Path) -> None:
    folder, commit = repository
    for where in ("main", "HEAD", commit[:12], commit.upper() if commit.upper() != commit else "x", "", f"{commit}^"):
        with pytest.raises(UsageError, match="names no commit"):
            read(f"git+{folder}@{where}", data_home)
    for text in (f"git+{folder}", f"git+{folder}@{commit}#../etc", f"git+{folder}@{commit}#keys/..", f"git+ext::sh -c x@{commit}", f"git+https://a:b@c/@{commit}", f"git+{folder}@{commit}#nothing"):  # fmt: skip
        with pytest.raises(UsageError):
            read(text, data_home)
    with pytest.raises(SealwrightError):
        read(f"git+{folder}@{'0' * 40}", data_home)


@pytest.mark.parametrize("what", ["a key", "the folder"])
def test_a_link_in_a_repository(repository: tuple[Path, str], world: World, data_home: Path, what: str) -> None:
    folder, _ = repository
    if what == "a key":
        key = next((folder / "keys").glob("*.asc"))
        key.unlink()
        key.symlink_to("/etc/hostname")
    else:
        shutil.rmtree(folder / "keys")
        (folder / "keys").symlink_to(world.folder / "keys")
    with pytest.raises(UsageError):
        read(f"git+{folder}@{_commit(folder)}", data_home)
