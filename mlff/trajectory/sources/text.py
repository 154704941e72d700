"""Text, plain or .gz, read a line or a table at a time in memory that does not grow with the file."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from mlff.trajectory.sources.source import TruncatedFile
from mlff.trajectory.sources.table import MALFORMED, NUMBER, UNFINISHED, WORD, parse_table

READ = 2**20  # bytes at a time


class Text:
    """A file and where reading stands in it. frame: which frame is being read, for what is told of it."""

    def __init__(self, path: Path):
        self.path, self.frame = path, 0
        self._file = gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")  # noqa: SIM115 - until close
        self._buffer, self._at, self._ended, self._size = b"", 0, False, 0

    def __enter__(self) -> Text:
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def line(self) -> str | None:
        """The next line, without its end; None at the end of the file."""
        end = self._line_end()
        if end is None:
            return None
        line, self._at = self._buffer[self._at : end], min(end + 1, len(self._buffer))
        return line.decode("utf-8", "replace").rstrip("\r")

    def peek(self) -> str | None:
        """The same line, which the next call gives again."""
        end = self._line_end()
        return None if end is None else self._buffer[self._at : end].decode("utf-8", "replace").rstrip("\r")

    def needed(self, what: str) -> str:
        """The next line, which the frame is not whole without."""
        line = self.line()
        if line is None:
            raise TruncatedFile(self.path, self.frame, f"before {what}")
        return line

    def skip_blank(self) -> bool:
        """Whether anything but blank lines is left."""
        while (line := self.peek()) is not None:
            if line.strip():
                return True
            self.line()
        return False

    def floats(self, n: int, what: str) -> np.ndarray:
        """The first n numbers of the next line."""
        line = self.needed(what)
        try:
            return np.array([float(word) for word in line.split()[:n]]).reshape(n)
        except ValueError:
            raise self.malformed(line, f"{n} numbers: {what}") from None

    def table(self, n_rows: int, kinds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """(numbers, words) of the next rows; see `parse_table`."""
        kinds = np.array(kinds, np.int8)
        numbers, words = np.empty((n_rows, (kinds == NUMBER).sum())), np.empty((n_rows, (kinds == WORD).sum()), np.int64)
        if len(self._buffer) - self._at < self._size:
            self._more()
        while True:
            at, row = parse_table(np.frombuffer(self._buffer, np.uint8), self._at, kinds, numbers, words)
            if at == MALFORMED:
                for _ in range(row):
                    self.line()
                raise self.malformed(self.line(), f"{len(kinds)} columns of an atom")
            if at != UNFINISHED:
                self._size = int(1.1 * (at - self._at))
                self._at = at
                return numbers, words
            if self._ended:
                raise TruncatedFile(self.path, self.frame, f"after {row} of {n_rows} atoms with their line ends")
            self._more()

    def malformed(self, line: str, expected: str) -> ValueError:
        return ValueError(
            f"{self.path}, frame {self.frame}: found {line.strip()[:60]!r}, expected {expected}; repair the file, or leave it out"
        )

    def _line_end(self) -> int | None:
        searched = 0
        while (end := self._buffer.find(b"\n", self._at + searched)) < 0:
            searched = len(self._buffer) - self._at
            if self._ended:
                return len(self._buffer) if searched else None
            self._more()
        return end

    def _more(self) -> None:
        """Read on; the buffer at least doubles where a frame did not fit."""
        rest = self._buffer[self._at :]
        try:
            more = self._file.read(max(READ, len(rest), self._size))
        except EOFError:  # a .gz that is cut short
            more = b""
        self._ended = not more
        self._buffer, self._at = rest + more, 0


def numbers_of(symbols: Sequence[str], where: str) -> np.ndarray:
    """Atomic numbers of symbols such as Li, Li_sv or Li1, (n,).

    Raises:
        ValueError: one is no element.
    """
    found = [re.match(r"[A-Z][a-z]?", symbol.strip()) for symbol in symbols]
    unknown = {symbol for symbol, match in zip(symbols, found, strict=True) if match is None or match[0] not in atomic_numbers}
    if unknown:
        raise ValueError(f"{where}: found the species {sorted(unknown)}, expected symbols of elements; correct the file, or say which")
    return np.array([atomic_numbers[match[0]] for match in found])
