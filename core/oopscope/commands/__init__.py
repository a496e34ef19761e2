"""What can be asked of a kernel: by words (`register`), or about one thing that the screen looks at (`questions`)."""
