"""The server: HTTP to the library and back. The library does the work, this only translates."""
