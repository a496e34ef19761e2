"""What can be asked of a kernel, one register."""
