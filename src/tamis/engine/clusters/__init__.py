"""Clusters as the stage shows them: rows, labels, terms."""
