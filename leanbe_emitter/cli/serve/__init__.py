"""Section *Serve*: the server, and commands that need one."""
