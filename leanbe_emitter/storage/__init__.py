"""The database, without the meaning of its rows.

``queries`` stands above ``schema``, and ``schema`` above ``engine``. The way in is
``engine.database.Database``.
"""
