"""Templates in parameters: compiled once, metered, sandboxed."""
