"""Proofs on detectors."""
