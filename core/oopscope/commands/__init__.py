"""What can be asked of a kernel, by words (`register`) or about one thing (`questions`); filters over rows."""
