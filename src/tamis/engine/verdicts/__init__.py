"""Why a document is not among what a stage let through."""
