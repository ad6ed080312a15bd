"""Proofs on detectors of events."""
