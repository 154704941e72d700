"""`python -m mlff.export.ipi --model model --structure structure.extxyz --address localhost --port 31415`: a driver of i-PI."""

import argparse
import sys

from ase.io import read

from mlff.export.ase import MLFFCalculator
from mlff.export.engine import DTYPES
from mlff.export.ipi.evaluation import Evaluation
from mlff.export.ipi.protocol import connect, drive


def main() -> None:
    """Evaluate the model for an i-PI server until it ends. Start one driver for each bead to let them run side by side."""
    parser = argparse.ArgumentParser(prog="python -m mlff.export.ipi", description=main.__doc__)
    parser.add_argument("--model", required=True, help="folder of a model artefact or of a compiled model, or bundled:li3ps4")
    parser.add_argument("--structure", required=True, help="file that ASE reads: the species in i-PI's order, and which axes are periodic")
    parser.add_argument("--address", required=True, help="of the <ffsocket>: a host, or with --unix a name or a path")
    parser.add_argument("--port", type=int, default=31415, help="of an inet socket (31415)")
    parser.add_argument("--unix", action="store_true", help="connect to a UNIX socket")
    parser.add_argument("--wait", type=float, default=30.0, help="seconds to wait for the server to listen (30)")
    parser.add_argument("--device", help="where the model runs (the CPU, or what it was compiled for)")
    parser.add_argument("--dtype", choices=DTYPES, help="of the network (float32, or what it was compiled with)")
    given = parser.parse_args()
    try:
        calculator = MLFFCalculator.load(given.model, device=given.device, dtype=given.dtype)
        evaluation = Evaluation(calculator, read(given.structure))
        with connect(given.address, None if given.unix else given.port, given.wait) as connection:
            drive(connection, evaluation)
    except (ConnectionError, FileNotFoundError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
