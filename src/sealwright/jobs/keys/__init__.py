"""OpenPGP keys of the project: made, added, extended, replaced, revoked, exported, and how they stand.

Enters: the trust folder, the register, a secret key. Leaves: the same, changed as a whole.
"""
