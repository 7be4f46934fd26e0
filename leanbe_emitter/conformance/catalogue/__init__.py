"""The checks, a file for each group. ``all_checks.CHECKS`` is the whole list."""
