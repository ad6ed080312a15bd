"""Detectors, by the kind of data they look at."""
