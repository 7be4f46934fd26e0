"""Imitations of the serialisers that receivers use, one file a language."""
