"""Commands of the section *Receive*: receivers and signatures."""
