"""From scores to texts: a graph of candidates, its arcs scored, the best path in a format, how sure it is."""
