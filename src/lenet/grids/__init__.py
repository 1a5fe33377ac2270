"""Where numbers stand on a page: its ruled lines, the grids and boxes that they make, and the cells of these."""
