"""From the lines of a page to answers: what each reader says, one text of both, numbers, second looks."""
