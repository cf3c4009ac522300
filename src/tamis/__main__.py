"""`python -m tamis` and the `tamis` command."""

from tamis.cli import app


def main() -> None:
    app()


if __name__ == "__main__":
    main()
