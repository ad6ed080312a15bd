"""The few loops that need C, each with its NumPy twin."""
