"""The command line: it reads the words, calls the library, and prints the result.

``app`` is the way in. Each section of its help is a sub-package with one module for each command
group. Importing is lazy: a command's module is loaded when the command is named, and what is heavy
(the database, tables on a terminal) when the command runs, so that ``--help`` answers at once.
"""
