"""Evidence and a policy in, checks out. Nothing here fetches, writes a release, or knows the time by itself."""
