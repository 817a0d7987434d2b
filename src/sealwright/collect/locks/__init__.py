"""Locks that select what is installed on this machine: pylock.toml, uv.lock, requirements with hashes.

Enters: a lock. Leaves: `LockEntry`s, each with the SHA-256 of its files; whatever is not exact is refused. An audit
reads the same files for every machine (sealwright.collect.targets).
"""
