"""Where things live: release folders, trust folders, secrets. Reads and writes; judges nothing."""
