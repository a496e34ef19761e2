"""s390x: how its kernel words an oops."""
