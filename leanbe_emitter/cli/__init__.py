"""The command line: it reads what was typed, calls the library, prints what came of it.

A module of a command is loaded when the command is named, and what is heavy (the database, tables
on a terminal) when the command runs, so that ``--help`` answers at once.
"""
