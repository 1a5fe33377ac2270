"""The networks as data: what they are made of, what follows from that, their first and their shipped weights."""
