"""Bytes in, signatures out. Knows no policy, and no folder but its own."""
