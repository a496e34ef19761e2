"""The report: a dump's sections as plain data, and that data as JSON, text, Markdown or HTML. No terminal library."""
