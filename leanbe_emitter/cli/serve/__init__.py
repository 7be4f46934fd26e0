"""Commands of the section *Serve*: a server, and commands beside one."""
