"""How good rankings are: measures, significance, click models, and the files that others exchange. Pure; no I/O."""
