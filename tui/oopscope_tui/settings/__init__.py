"""Keys and settings."""
