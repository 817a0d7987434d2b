"""What a release consists of, for its SBOM: packages, their metadata and licences, and who needs whom.

Enters: archives, environments, an index, SBOMs of others. Leaves: components and the graph between them.
"""
