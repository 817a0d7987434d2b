"""What evidence says of itself, believed by nobody: bundles, statements, layouts, signature packets, certificates.

Enters: bytes. Leaves: claims for `explain`. Verifies nothing (sealwright.verify does).
"""
