"""Shapes of documents and payloads, and the schemas made from them.

``event_payloads`` is the single source: key order, JSON Schema, the types of ``generated_types``
and paths follow its shapes.
"""
