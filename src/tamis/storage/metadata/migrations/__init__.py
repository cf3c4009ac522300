"""The schema's history: one file a change, in `versions`; `migrate.py` runs what a database has not seen yet."""
