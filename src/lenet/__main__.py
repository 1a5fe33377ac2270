"""`python -m lenet` is `lenet`."""

from lenet.cli import main

main()
