"""Documents down a tree of nodes."""
