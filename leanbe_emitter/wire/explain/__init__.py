"""Explain a signature that does not match. The way in is ``explainer.explain``."""
