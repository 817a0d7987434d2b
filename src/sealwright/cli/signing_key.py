"""The options that say with which OpenPGP key to sign, the same for every command that does.

Enters: nothing. Leaves: options of click's. Opens no key: sealwright.cli.seal.opener_of does.
"""

from typing import Any

import click

_MOST = 1 << 30  # no system has so many


class _Descriptor(click.ParamType):  # type: ignore[type-arg]  # generic only in newer ones
    """The number of a file descriptor that is open already."""

    name = "descriptor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number. Fails for whatever is none."""
        text = str(value)
        if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > _MOST:
            self.fail(f"{text!r} is no number of a file descriptor.", param, ctx)
        return int(text)


OPENPGP_KEY = click.option("--openpgp-key", metavar="FINGERPRINT", help="Sign with this key of your own GnuPG keyring.")
OPENPGP_KEY_FILE = click.option(
    "--openpgp-key-file", metavar="FILE|-", help="Sign with the armored secret key in FILE, or on standard input."
)
PASSPHRASE_FD = click.option(
    "--passphrase-fd", type=_Descriptor(), metavar="N", help="Read the key's passphrase from this file descriptor."
)
