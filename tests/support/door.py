"""One of our commands in a process of its own that need not import anything: a fork of one that has.

Enters: the command's words, folder and environment. Leaves: its exit code and what it printed. Starting Python and
importing us is half of what a command costs, and the same each time. The fork has its own memory, folder, environment
and streams, like any process. What would be read before `main` (PYTHON…, the locale) is not for this door.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import sealwright

_HEAVY = (
    "cryptography.x509", "cyclonedx.model.bom", "cyclonedx.output.json", "gnupg", "in_toto.verifylib", "jsonschema_rs",
    "pypi_attestations", "sigstore.sign", "sigstore.verify", "tomlkit", "tuf.ngclient", "yaml",
)  # fmt: skip


class Door:
    """A process that waits for commands, one after the other."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._environment = dict(os.environ)
        self._line, theirs = socket.socketpair()
        code = f"from support import door; door.serve({theirs.fileno()})"
        with theirs, open(os.devnull, "r+b") as nothing:
            self._server = subprocess.Popen(
                [sys.executable, "-c", code], stdin=nothing, stdout=nothing, pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            )  # fmt: skip

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether a process with this environment would have started as the waiting one did."""
        return all(
            environment.get(name) == self._environment.get(name)
            for name in environment.keys() | self._environment.keys()
            if name.startswith(("PYTHON", "LC_", "LANG", "TZ", "LD_", "MALLOC_"))
        )

    def run(
        self, module: str, words: tuple[str, ...], cwd: Path, env: Mapping[str, str], given: str | None, seconds: float
    ) -> "subprocess.CompletedProcess[str]":
        """Run `module`'s main. Raises subprocess.TimeoutExpired. The caller holds `lock`."""
        with contextlib.ExitStack() as stack:
            source, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            source.write((given or "").encode())
            source.seek(0)
            asked = json.dumps([module, [module, *words], os.path.abspath(cwd), dict(env)]).encode()
            descriptors = [file.fileno() for file in (source, out, err)]
            socket.send_fds(self._line, [len(asked).to_bytes(4, "big")], descriptors)
            self._line.sendall(asked)
            process = int.from_bytes(_read(self._line, 4), "big")
            self._line.settimeout(seconds)
            try:
                status = int.from_bytes(_read(self._line, 4), "big", signed=True)
            except TimeoutError as error:
                os.kill(process, signal.SIGKILL)
                self._line.settimeout(None)
                _read(self._line, 4)
                raise subprocess.TimeoutExpired([module, *words], seconds) from error
            self._line.settimeout(None)
            texts = [_text(file.seek(0) or file.read()) for file in (out, err)]
        return subprocess.CompletedProcess([module, *words], status, *texts)

    def close(self) -> None:
        """Let the waiting process end."""
        self._line.close()
        self._server.wait(timeout=300)


def serve(number: int) -> None:
    """Import everything, then fork for each command that comes in, until the other end is closed."""
    for module in pkgutil.walk_packages(sealwright.__path__, "sealwright."):
        importlib.import_module(module.name)
    for name in _HEAVY:
        importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a fork would lose threads"
    line = socket.socket(fileno=number)
    while True:
        header, descriptors, *_ = socket.recv_fds(line, 4, 3)
        if not header:
            return
        module, argv, folder, environment = json.loads(_read(line, int.from_bytes(header, "big")))
        child = os.fork()
        if not child:
            line.close()
            _become(module, argv, folder, environment, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        line.sendall(child.to_bytes(4, "big"))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        line.sendall(status.to_bytes(4, "big", signed=True))


def _become(module: str, argv: list[str], folder: str, environment: dict[str, str], descriptors: list[int]) -> None:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = argv
    importlib.import_module(module).main()  # it ends the process


def _read(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = line.recv(size - len(found))
        if not more:
            raise EOFError("the waiting process has ended")
        found += more
    return found


def _text(content: bytes) -> str:
    """As subprocess reads text: universal newlines."""
    return content.decode().replace("\r\n", "\n").replace("\r", "\n")
