"""Runtime of a handle: engine, event loops, transactions and waiting."""
