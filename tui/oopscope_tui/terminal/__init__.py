"""The terminal itself: what goes over the wire, and how it is left."""
