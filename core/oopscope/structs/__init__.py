"""Structs of the dead kernel: layouts from its own types, and plans that turn memory into typed rows."""
