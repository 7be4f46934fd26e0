"""Measures, each as a ratio in one run; `make bench` prints them."""
