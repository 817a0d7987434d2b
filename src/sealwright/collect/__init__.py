"""Inputs in, facts out: what was built, and by which project. Reads; writes nothing."""
