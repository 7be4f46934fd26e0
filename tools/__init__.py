"""Tools for the people who change this project; the package needs none of them."""
