"""``verify`` ready-made for web frameworks, for receivers written in Python.

``receivers.fastapi`` (Starlette, too), ``receivers.flask`` and ``receivers.django`` have one word,
``verified(secret)``: who uses it gets an ``Envelope`` that verifies, and what does not is refused.
Each imports its own framework, this package none, and none of them anything of the sending side.
"""
