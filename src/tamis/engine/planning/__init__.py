"""Before a run: the pipeline as it was written, checked and compiled."""
