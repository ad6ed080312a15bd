"""Proofs on decisions: thresholds, false alarms, false discoveries, how many anomalies."""
