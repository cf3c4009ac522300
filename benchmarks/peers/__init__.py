"""Tamis beside the servers that people would pick instead. `python -m benchmarks.peers` explains itself."""
