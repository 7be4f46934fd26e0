"""Settings of a database: products, webhooks, assumptions, faults, and the seed file.

Start with ``products.Products``, which is ``leanbe.products``.
"""
