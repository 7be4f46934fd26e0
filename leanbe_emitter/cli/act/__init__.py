"""Section *Act*: one module for each resource; ``resources`` makes their common commands."""
