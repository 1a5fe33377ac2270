"""From a page to a table: its cells are cut out, told apart, read, and added up."""
