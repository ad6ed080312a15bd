"""Scores to decisions: thresholds, p-values, budgets of false alarms, how many anomalies."""
