"""Dependencies held against advisories: offline by the index, online by a service, again when a release has verified.

Enters: dependencies, an index or a service. Leaves: an `AuditResult`, or an index.
"""
