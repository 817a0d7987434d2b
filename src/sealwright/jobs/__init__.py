"""One file a user's job. Each takes what cli read from the real world (time, paths, answers) as arguments."""
