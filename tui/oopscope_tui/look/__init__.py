"""Colours, cells and words of the screen."""
