"""The world behind HTTP: requests that stages send, the secrets that they may carry, and searches of others."""
