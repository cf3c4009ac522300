"""Published retrievers and their visitors."""
