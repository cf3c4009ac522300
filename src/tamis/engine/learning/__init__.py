"""Weights of a fusion, learnt from what was done with what it showed."""
