"""What is written in C++: which instruction set of it runs, if any does."""
