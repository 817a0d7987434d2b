"""A key handed on: its public part for another maintainer, or its secret signing subkey for CI.

Enters: a key in the user's keyring or in a file. Leaves: an armored public key, or a file that its owner alone may
read, in which the primary key's secret part is not.
"""

import os
from datetime import datetime
from pathlib import Path

from sealwright.errors import UsageError
from sealwright.gnupg.home import private_home, require_gpg
from sealwright.gnupg.keyring import Keyring
from sealwright.gnupg.listing import HERE, UNUSABLE
from sealwright.jobs.keys.change import Where
from sealwright.jobs.keys.public import renew_public
from sealwright.jobs.keys.secret import (
    open_secret,
    read_key_file,
    refuse_in_repository,
    write_secret_file,
)


def export_public(where: Where, now: datetime) -> bytes:
    """Return the minimised public key, armored. Raises UsageError if there is no such key."""
    program = require_gpg(where.gpg)
    if where.key_file is None:
        public = Keyring(program).export_public(where.fingerprint)
    else:
        content = read_key_file(where.key_file)
        with private_home(program) as home:
            keyring = Keyring(program, home.folder)
            keyring.import_key(content)
            public = keyring.export_public(where.fingerprint)
    if not public:
        raise UsageError(f"there is no key {where.fingerprint} in your keyring, or in that file")
    return renew_public(where.gpg, where.fingerprint, None, public, now).content


def export_secret_subkey(where: Where, path: Path) -> str:
    """Write the newest secret signing subkey to a file, and return its fingerprint. Raises UsageError."""
    refuse_in_repository(path, where.policy)
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already, and is not overwritten", "Name a new file.")
    with open_secret(where.gpg, where.fingerprint, where.key_file, where.ask) as secret:
        able = [
            key
            for key in secret.keys
            if key.can_sign and key.secret == HERE and key.usable not in UNUSABLE and key.fingerprint != key.primary
        ]
        if not able:
            raise UsageError(f"{where.fingerprint} has no signing subkey here", "sealwright keys rotate adds one.")
        newest = able[-1].fingerprint
        write_secret_file(path, secret.keyring.export_secret(newest, secret.passphrase, subkey=True))
    return newest
