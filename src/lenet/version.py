"""The version of lenet, where everything may ask for it."""

__version__ = "0.2.0"
