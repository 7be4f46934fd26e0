"""The checks, a file for each group: what it sends, and how each check is judged."""
