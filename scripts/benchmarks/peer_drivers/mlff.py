"""Ours: random weights, through the ASE calculator."""

import torch
from ase import Atoms

from mlff import __version__
from mlff.export.ase import MLFFCalculator
from scripts.benchmarks.systems import untrained

from .drive import Driven, drive

SKIN = 0.5  # Å


def build(request: dict, atoms: Atoms) -> Driven:
    options = request["options"]
    r_max = options.get("r_max", request["r_max"])
    committee = untrained(options["architecture"], options["size"], options["members"], torch.float32, r_max)
    potential = committee if options["members"] > 1 else committee.member(0)
    calculator = MLFFCalculator(potential, dtype=request["dtype"], skin=SKIN)
    versions = {"mlff": __version__, "torch": torch.__version__}
    return Driven(calculator, f"its own, within a skin of {SKIN} Å", request["dtype"], versions)


if __name__ == "__main__":
    drive(build)
