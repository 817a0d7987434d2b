"""Sealwright seals the releases of a Python project and lets anyone check the seal before they install.

The flow and the rooms are drawn in docs/architecture.md. Nothing is imported here, so that every
command starts at once; the version is a literal because reading it from the metadata costs 36 ms.
"""

__version__ = "0.1.0"
