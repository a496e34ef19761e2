"""The `:` prompt, its completion and its acts."""
