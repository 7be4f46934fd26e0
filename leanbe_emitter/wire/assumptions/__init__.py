"""Assumptions about Leanbe: the catalogue, and the values that one request is built with."""
