"""`python -m tamis` and the `tamis` command."""

import atexit
import os
import sys
from contextlib import suppress

from tamis.cli import app


def main() -> None:
    """Run the command and end the process.

    Not by way of the interpreter's own end: a library's thread that lets go of a Python object then, as the object
    store's do a moment after their last answer, aborts the process that has done everything well.
    """
    try:
        app()
        status: object = 0
    except SystemExit as ended:
        status = ended.code
    if status is not None and not isinstance(status, int):
        print(status, file=sys.stderr)  # noqa: T201 - as the interpreter does
        status = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it is gone, or it is closed
            stream.flush()
    os._exit(status or 0)


if __name__ == "__main__":
    main()
