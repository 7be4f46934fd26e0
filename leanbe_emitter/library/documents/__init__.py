"""Documents of a product, such as ideas and customers: one file for each resource.

Start with ``resources.Resource``, which all resources extend.
"""
