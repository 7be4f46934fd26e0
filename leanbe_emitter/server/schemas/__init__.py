"""JSON Schema of requests and responses, for the OpenAPI document and for the bodies' models.

``json_schema`` has the builders; ``setup``, ``deliveries`` and ``documents`` the schemas of each
part of the API; ``field_types`` the types of models' fields.
"""
