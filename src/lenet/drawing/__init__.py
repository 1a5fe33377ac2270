"""Pictures for people: what was read, how, and what was misread."""
