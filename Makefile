# Few targets; each is one command that also works without make. They run in .venv (see README.md).
BIN = .venv/bin

.PHONY: setup test check docs examples bench-read

setup:
	python3 -m venv .venv
	$(BIN)/pip install --constraint constraints.txt --editable '.[dev]'

test:
	$(BIN)/python -m pytest

check:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs:
	$(BIN)/python docs/make_cli.py

examples:
	$(BIN)/python examples/make_pictures.py

# The reading benchmark on test digits: for the final figure of a release, not for tuning.
bench-read:
	$(BIN)/python benchmarks/read_pasted.py --test --n 2000 --json
