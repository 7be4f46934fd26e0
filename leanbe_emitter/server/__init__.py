"""The server: the HTTP API, the library's capability over REST.

``app.create_app`` makes the ASGI application, and ``serving.serve`` runs it beside a worker.
``routes`` has the operations, ``http`` the parts that all of them share, ``schemas`` the JSON
Schema of requests and responses, ``openapi`` the document, and ``pages`` the pages in a browser.
Endpoints hold no rules: they call the library.
"""
