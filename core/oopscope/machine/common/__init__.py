"""What several machines share: the types of their tables, and code that any of them may use."""
