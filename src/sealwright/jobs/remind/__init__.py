"""`sealwright remind`: what is due, and how people hear of it.

Enters: registers, policies, keys, the time. Leaves: deadlines, and messages that were sent.
"""
