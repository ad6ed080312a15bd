"""How good is it, and can the experiment be believed: metrics, intervals, protocols."""
