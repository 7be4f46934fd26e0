"""Commands of the section *Act*: one file a resource."""
