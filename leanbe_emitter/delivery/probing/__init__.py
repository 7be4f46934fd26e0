"""Probing: ask a receiver which mistake it makes, by requests that are signed as mistakes would.

Nothing is stored. A receiver acts on the requests that it accepts.
"""
