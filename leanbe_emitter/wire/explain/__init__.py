"""Explanations of a signature that does not match."""
