"""What a decoder says about a file that it cannot use."""


class UnreadableError(Exception):
    """error_type: the contract's ErrorCategory."""

    def __init__(self, message: str, error_type: str = "validation") -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
