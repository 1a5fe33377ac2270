"""Sets of digits: found or fetched, checked, as glyphs and labels."""
