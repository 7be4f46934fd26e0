"""Synthetic events: built, recorded or only shown."""
