"""What an operator sees from outside: metrics, spans, log lines. Counts and times, never anybody's content."""
