"""What is known against versions: exports of advisories, services that are asked, VEX, and an audit that is finished.

Enters: files and answers that may be hostile. Leaves: advisories, statements, facts; what could not be read is named.
"""
