"""What goes in and what becomes of it: buckets, objects, batches, collections, documents."""
