"""Counting errors, with intervals, and making confidences honest."""
