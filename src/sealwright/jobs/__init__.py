"""What users have done: a job that is one file lies here, and one that is several is a room of that name.

Each takes what cli read from the real world (time, paths, answers) as arguments.
"""
