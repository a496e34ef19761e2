"""What an address is; structs, words and code looked at by hand."""
