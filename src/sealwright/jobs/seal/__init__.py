"""`sealwright seal`: whatever evidence the policy requires, each kind in one file.

Enters: built artifacts, keys, an identity. Leaves: a release folder that verifies.
"""
