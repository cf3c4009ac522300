"""The studio: pages for people, over the same services as the API. Server-rendered; nothing is asked of anyone else."""
