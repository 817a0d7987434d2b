"""A world to rehearse in: throw-away projects and keys, for the demo and the tests. Only cli imports this."""
