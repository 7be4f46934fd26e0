"""Documents of a product: one file a resource."""
