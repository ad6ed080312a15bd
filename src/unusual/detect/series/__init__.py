"""Detectors of series: scores per time step."""
