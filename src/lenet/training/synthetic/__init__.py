"""Training pictures that are made: writing composed, degraded as cameras and pens do, and what is no digit."""
