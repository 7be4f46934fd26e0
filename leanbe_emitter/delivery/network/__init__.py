"""The network: one request out, one answer in."""
