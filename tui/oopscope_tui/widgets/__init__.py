"""One virtual table and one virtual text view, which all panes share, and the lines around them."""
