"""The OpenAPI document (``document``) and the page that shows it (``page``)."""
