"""The socket protocol of i-PI, from the driver's side, in atomic units on the wire.

Every message begins with a word of 12 characters. The server asks STATUS and is told NEEDINIT, READY or HAVEDATA; it sends INIT with
words that mean nothing here, POSDATA with cell and positions, GETFORCE, which is answered by FORCEREADY and the numbers, and EXIT.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlff.units import BOHR, HARTREE, HARTREE_PER_BOHR

WORD = 12  # characters
UNIX_PREFIX = "/tmp/ipi_"  # i-PI's own, before the names of UNIX sockets


@dataclass(frozen=True)
class Reply:
    """energy: eV. forces: (n_atoms, 3), eV/Å. virial: (3, 3), −∂E/∂ε, eV. extra: JSON, or empty."""

    energy: float
    forces: np.ndarray
    virial: np.ndarray
    extra: str = ""


Evaluate = Callable[[np.ndarray, np.ndarray], Reply]


def connect(address: str, port: int | None = None, wait: float = 0.0) -> socket.socket:
    """A connection to a server.

    Args:
        address: host of an inet socket; without a port the name of a UNIX socket, or its path if it holds a slash.
        wait: s to wait for a server to listen.
    Raises:
        ConnectionError: none did.
    """
    place = address if "/" in address else UNIX_PREFIX + address
    deadline = time.monotonic() + wait
    while True:
        connection = socket.socket(socket.AF_UNIX if port is None else socket.AF_INET, socket.SOCK_STREAM)
        try:
            connection.connect(place if port is None else (address, port))
        except OSError as error:
            connection.close()
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            where = f"UNIX socket {place}" if port is None else f"{address}, port {port}"
            raise ConnectionError(
                f"no i-PI server listens at {where} ({error}); start `i-pi input.xml` first, with the address of its <ffsocket>"
            ) from error
        if port is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its messages are short, and each is waited for
        return connection


def drive(connection: socket.socket, evaluate: Evaluate) -> None:
    """Answer the server until it says EXIT.

    Args:
        evaluate: cell (3, 3) rows, Å, and positions (n_atoms, 3), Å → Reply.
    Raises:
        ConnectionError: the server went away without EXIT.
        ValueError: it said something else, or wants several structures at once.
    """
    initialized, reply = False, None
    while (word := _receive(connection, WORD).decode().strip()) != "EXIT":
        if word == "STATUS":
            _say(connection, "NEEDINIT" if not initialized else "READY" if reply is None else "HAVEDATA")
        elif word == "INIT":
            _integer(connection)  # which bead
            words = _receive(connection, _integer(connection)).decode()
            if "batch_size" in words:
                raise ValueError(
                    f"i-PI wants several structures at once ({words.strip()}), but this driver takes one; set <batch_size> to 1"
                )
            initialized = True
        elif word == "POSDATA":
            columns = _floats(connection, 9).reshape(3, 3)
            _floats(connection, 9)  # the inverse cell
            positions = _floats(connection, 3 * _integer(connection)).reshape(-1, 3)
            reply = evaluate(columns.T * BOHR, positions * BOHR)
        elif word == "GETFORCE" and reply is not None:
            _send(connection, reply)
            reply = None
        else:
            raise ValueError(
                f"i-PI said {word!r}, expected STATUS, INIT, POSDATA, GETFORCE after POSDATA, or EXIT; is it i-PI that listens there?"
            )


def _send(connection: socket.socket, reply: Reply) -> None:
    extra = reply.extra.encode()
    _say(
        connection,
        "FORCEREADY",
        np.float64(reply.energy / HARTREE).tobytes()
        + np.int32(len(reply.forces)).tobytes()
        + np.asarray(reply.forces / HARTREE_PER_BOHR, dtype=np.float64).tobytes()
        + np.asarray(reply.virial / HARTREE, dtype=np.float64).tobytes()
        + np.int32(len(extra)).tobytes()
        + extra,
    )


def _say(connection: socket.socket, word: str, content: bytes = b"") -> None:
    connection.sendall(word.ljust(WORD).encode() + content)


def _integer(connection: socket.socket) -> int:
    return int(np.frombuffer(_receive(connection, 4), np.int32)[0])


def _floats(connection: socket.socket, n: int) -> np.ndarray:
    return np.frombuffer(_receive(connection, 8 * n), np.float64)


def _receive(connection: socket.socket, n_bytes: int) -> bytes:
    received = bytearray()
    while len(received) < n_bytes:
        part = connection.recv(n_bytes - len(received))
        if not part:
            raise ConnectionError("i-PI closed the connection without EXIT; its own output says why")
        received += part
    return bytes(received)
