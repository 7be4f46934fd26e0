"""Operations of the API, one module for each part of it; ``app`` calls each ``add_routes``.

An endpoint is a plain function that calls the library and returns a response. Its docstring is the
operation's description in the OpenAPI document.
"""
