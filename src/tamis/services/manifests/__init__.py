"""A namespace as a text: exported, checked, compared with what is there, applied."""
