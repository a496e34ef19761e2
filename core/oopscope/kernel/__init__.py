"""The facade of one dead kernel, which is passed around and keeps answers and problems; walks of lists and trees."""
