"""Section *Receive*: a receiver, and signatures without a database."""
