"""The parts of the HTML report, a file each; all of them take the report's plain data and return HTML text."""
