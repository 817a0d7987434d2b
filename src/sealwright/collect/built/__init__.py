"""How artifacts came to be: what git and the CI job say of a build, what it was made with, how a rebuild differs.

Enters: the environment, a checkout, archives. Leaves: build facts. Runs nothing that a checkout names.
"""
