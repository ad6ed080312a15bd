"""Proofs on explanations: what they point at, how steady they are, whether they can be believed."""
