"""``Leanbe``: the composition root."""
