"""What the record of an execution answers afterwards."""
