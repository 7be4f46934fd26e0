"""Section *Send*: events, from a sample or a demo, and the worker."""
