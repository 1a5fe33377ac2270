"""From ink to candidates: components, text lines, seams, lattice, glyphs. Nothing is scored here."""
