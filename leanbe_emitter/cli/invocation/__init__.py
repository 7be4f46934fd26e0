"""One run of the program: options, output, attempts, errors and exit status.

Commands get an ``Invocation``, which opens the library.
"""
