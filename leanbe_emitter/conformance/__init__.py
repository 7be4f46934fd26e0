"""Conformance checks: what is right and wrong about a receiver, in any language.

The way in is ``run.Run``. ``checks`` has a file for each group of them. A run sends requests
through a ``Transport``, may look at what the receiver stored, and stores nothing itself.
"""
