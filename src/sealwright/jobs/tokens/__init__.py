"""Credentials and how long they live: kept in the register, checked where they are used, minted and rotated.

Enters: the register of tokens. Leaves: the same, and never a secret.
"""
