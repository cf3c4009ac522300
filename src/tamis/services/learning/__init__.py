"""What executions teach: interactions, judgements, evaluations, the gate."""
