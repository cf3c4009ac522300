"""From queries to a ranking, and what is worked out from vectors that stay where they are."""
