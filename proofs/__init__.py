"""Small experiments that can fail, one for each claim: `python -m proofs` runs those whose code or data changed."""
