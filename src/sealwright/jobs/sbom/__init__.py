"""SBOMs: made for a wheel, an environment or a lock, put into a wheel, scored.

Enters: artifacts, locks, environments. Leaves: CycloneDX documents.
"""
