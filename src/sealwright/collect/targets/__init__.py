"""What an audit looks at: requirements files, locks, archives, SBOMs and environments, as what they pin.

Enters: a path. Leaves: a `Dependency` for everything that stands there, with its problem where it has one; none is
dropped. `dependencies` chooses the reader.
"""
