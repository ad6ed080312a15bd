"""Detectors of unusual events: sequences of them, and lines of logs."""
