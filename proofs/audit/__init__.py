"""Proofs on audits: is this data set, or this experiment, sound."""
