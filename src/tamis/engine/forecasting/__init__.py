"""What a pipeline is likely to do and to cost, without running it."""
