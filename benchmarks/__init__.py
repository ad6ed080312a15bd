"""Side by side with peers: quality, speed and memory. Run with `python -m benchmarks [NAME]`."""
