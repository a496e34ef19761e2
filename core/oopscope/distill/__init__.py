"""Writing a small dump that gives the same report."""
