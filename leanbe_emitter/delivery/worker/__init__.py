"""The worker: claims, attempts and settlements in a loop, and what can be seen of it."""
