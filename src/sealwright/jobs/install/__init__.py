"""What is done with a release that has verified: installed, required, put into a kit.

Enters: verified bytes. Leaves: an environment, a requirements file, a folder.
"""
