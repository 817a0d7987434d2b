"""Who shows a secret to the machine: argv and environment of every process, as long as it is watched."""

import threading
from pathlib import Path


class Watch(threading.Thread):
    """Reads argv and environment of every process that begins after it, from /proc, until it is stopped."""

    def __init__(self, needles: list[bytes]) -> None:
        super().__init__(daemon=True)
        self.needles, self.found, self.seen, self.stop = needles, set[str](), set[str](), threading.Event()
        self.before = set(Path("/proc").glob("[0-9]*"))

    def run(self) -> None:
        while not self.stop.is_set():
            for process in set(Path("/proc").glob("[0-9]*")) - self.before:
                for name in ("cmdline", "environ"):
                    try:
                        content = (process / name).read_bytes()
                    except OSError:
                        continue
                    if name == "cmdline" and b"gpg" in content:
                        self.seen.add(process.name)
                    if any(needle in content for needle in self.needles):
                        self.found.add(f"{process.name}/{name}")
