"""Where tables are printed."""

from rich.console import Console

WIDTH = 130  # columns of a file, which would otherwise be taken for 80


def console() -> Console:
    """The terminal, as wide as it is; a file or a pipe, wide enough for a table's row."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH)
