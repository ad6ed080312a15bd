"""Detectors of unusual rows in tables."""
