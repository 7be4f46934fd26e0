"""Types of payloads and bodies in other languages, all made from the shapes of ``payloads``.

``records`` collects what a file of types consists of; there is one module for each language.
"""
