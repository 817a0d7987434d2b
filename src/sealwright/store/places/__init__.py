"""Where a release comes from: a folder, a package index, a GitHub release, a web folder; each behind one interface."""
