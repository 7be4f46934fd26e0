"""Shapes of documents and payloads, and the schemas and types made from them.

``event_payloads`` is the single source: key order, JSON Schema, TypeScript and paths follow its
shapes.
"""
