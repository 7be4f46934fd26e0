"""Runtime of a handle: the engine, event loops, transactions, waiting methods and pages.

Start with ``delivery_engine.Engine``, which makes attempts, and ``transactions.Transactions``.
"""
