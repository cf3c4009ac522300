"""Search engines of others, each by its own protocol: one file a provider."""
