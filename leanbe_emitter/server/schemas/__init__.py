"""JSON Schema of requests and responses."""
