"""Pure data: what a release, a policy and a verdict are. No I/O, no clock, no environment."""
