"""Faults: ``catalogue`` lists the kinds, and ``bodies`` makes the wrong requests."""
