"""Explain a signature that does not match. The way in is ``explainer.explain``.

``mistakes`` has the kinds of mistakes. ``content_mistakes``, ``key_mistakes`` and
``digest_mistakes`` are their catalogue, and ``repairs`` has the lines that repair them. ``search``
finds the mistakes that give a digest, and ``candidates`` tells them to people. ``suspects`` and
``probe`` are for asking a receiver. ``serialisers`` imitates those of other languages.
"""
