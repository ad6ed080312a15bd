"""What one points at, read into samples: one reader a file."""
