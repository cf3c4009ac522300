"""What files hold, and what it becomes: passages, features, examples to search by."""
