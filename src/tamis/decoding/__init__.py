"""Files to plain values, in a worker process: one file a kind of medium."""
