"""Training: recipes, plans, one loop, backends, run folders, and the gate to the shipped weights."""
