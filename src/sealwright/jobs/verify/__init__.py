"""The end user's question: may this release be trusted?

Enters: a release, a policy from elsewhere, what is remembered. Leaves: a `Verdict`.
"""
