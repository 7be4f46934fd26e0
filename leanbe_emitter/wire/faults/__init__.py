"""Faults: the catalogue, and the bodies that a fault changes."""
