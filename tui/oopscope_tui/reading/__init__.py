"""The worker, the only thread, and what it has read."""
