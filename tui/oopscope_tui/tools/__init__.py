"""Pictures and recordings of the screen."""
