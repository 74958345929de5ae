"""Video files, and videos of several files."""
