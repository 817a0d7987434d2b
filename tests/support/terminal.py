"""A real terminal for a command: what a person would see, and what they would type."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from pathlib import Path


def on_terminal(
    command: list[str], cwd: Path, env: dict[str, str], answers: dict[str, str], *, echo: bool = False
) -> tuple[int, str]:
    """Run a module of ours on a pseudo terminal; type each answer when its prompt has appeared; hidden ones, unless `echo`. Return code and screen."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=cwd, env=os.environ | env | {"TERM": "xterm", "COLUMNS": "80"},
        stdin=side, stdout=side, stderr=side, start_new_session=True,
    )  # fmt: skip
    os.close(side)
    raw, screen, waiting, end = b"", "", dict(answers), time.monotonic() + 120
    while time.monotonic() < end:
        ended = process.poll() is not None  # asked first: what it said last is there by then
        if select.select([main], [], [], 0.02)[0]:
            try:
                raw += os.read(main, 65536)  # it may end in the middle of a character
            except OSError:  # the other side is closed
                break
        elif ended:
            break
        screen = raw.decode("utf-8", "replace")
        # What is typed before the prompt has switched the echo off is thrown away by it.
        ready = echo or not termios.tcgetattr(main)[3] & termios.ECHO
        for prompt in [prompt for prompt in waiting if prompt in screen and ready]:
            os.write(main, waiting.pop(prompt).encode() + b"\n")
    os.close(main)
    return process.wait(60), screen


def broken_lines(screen: str) -> list[str]:
    """The lines that a terminal of 80 columns would break in the middle of a word, although there are blanks in them."""
    lines = re.sub("\x1b\\[[0-9;]*m|\r", "", screen).split("\n")
    return [line for line in lines if len(line) > 80 and len(line.split()) > 1]
