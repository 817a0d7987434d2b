"""The commands: each parses, calls one job, prints, and exits.

Only here are the clock, the environment and the terminal read.
"""
