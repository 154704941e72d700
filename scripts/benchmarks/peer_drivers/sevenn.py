"""SevenNet: random weights, through its ASE calculator."""

from importlib.metadata import version

import sevenn._keys as KEY
import torch
from ase import Atoms
from sevenn._const import DEFAULT_E3_EQUIVARIANT_MODEL_CONFIG
from sevenn.atom_graph_data import AtomGraphData
from sevenn.calculator import SevenNetCalculator
from sevenn.model_build import build_E3_equivariant_model
from sevenn.train.dataload import unlabeled_atoms_to_graph

from .drive import Driven, drive


def build(request: dict, atoms: Atoms) -> Driven:
    torch.manual_seed(0)
    numbers = sorted({int(z) for z in atoms.numbers})
    config = DEFAULT_E3_EQUIVARIANT_MODEL_CONFIG | request["options"]
    config |= {
        KEY.CUTOFF: request["r_max"],
        KEY.NUM_SPECIES: len(numbers),
        KEY.TYPE_MAP: {z: k for k, z in enumerate(numbers)},
        KEY.CHEMICAL_SPECIES: sorted(set(atoms.symbols)),
        KEY.SHIFT: 0.0,
        KEY.SCALE: 1.0,
        KEY.CONV_DENOMINATOR: 27.0,
    }
    model = build_E3_equivariant_model(config)
    model.type_map, model.cutoff = config[KEY.TYPE_MAP], config[KEY.CUTOFF]
    calculator = SevenNetCalculator(model, file_type="model_instance", device="cpu")
    if request["mode"] == "compiled":
        calculator.model = torch.compile(calculator.model)
    versions = {"sevenn": version("sevenn"), "torch": torch.__version__}

    def arrange(atoms: Atoms) -> AtomGraphData:
        return AtomGraphData.from_numpy_dict(unlabeled_atoms_to_graph(atoms, request["r_max"]))

    return Driven(calculator, "matscipy, at every step", request["dtype"], versions, arrange)


if __name__ == "__main__":
    drive(build)
