"""GnuPG, kept in a room of its own: private homes, bounded processes, and what the listings say.

sealwright.sign and sealwright.verify both build on this and never on each other.
"""
