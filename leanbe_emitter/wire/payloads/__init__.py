"""Shapes of the documents and of the 22 payloads; schemas and types made from them."""
