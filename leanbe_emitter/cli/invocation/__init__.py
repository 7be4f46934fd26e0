"""One run of the program: options, output, exit status."""
