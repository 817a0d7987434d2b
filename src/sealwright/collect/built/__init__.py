"""How artifacts came to be: the project, what git and the CI job say of a build, with what, how a rebuild differs.

Enters: the environment, a checkout, archives. Leaves: build facts. Runs nothing that a checkout names.
"""
