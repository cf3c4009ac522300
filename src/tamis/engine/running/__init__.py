"""A plan at work: stage after stage, within its budget."""
