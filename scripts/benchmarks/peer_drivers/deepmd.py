"""DeePMD se_e2_a: a model of one training step, frozen, through DeePMD-kit's ASE calculator; compressed where asked."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ase import Atoms
from deepmd.calculator import DP

from .drive import Driven, drive

FEW = 8  # training frames: spread more than the benchmark's steps, so that compression's tables span what will come


def build(request: dict, atoms: Atoms) -> Driven:
    folder = Path(request["cache"]) / f"deepmd-{request['r_max']}-{request['dtype']}"
    if not (folder / "frozen.pb").exists():
        freeze(folder, atoms, request)
    if request["mode"] == "compressed" and not (folder / "compressed.pb").exists():
        dp(folder, "compress", "-i", "frozen.pb", "-o", "compressed.pb")
    calculator = DP(model=folder / f"{request['mode']}.pb")
    versions = {"deepmd-kit": version("deepmd-kit"), "tensorflow": version("tensorflow-cpu")}
    return Driven(calculator, "its own, at every step", request["dtype"], versions)


def freeze(folder: Path, atoms: Atoms, request: dict) -> None:
    names = sorted(set(atoms.symbols))
    (folder / "data/set.000").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    moved = np.stack([atoms.positions + rng.normal(scale=0.05, size=atoms.positions.shape) for _ in range(FEW)])
    arrays = {"coord": moved.reshape(FEW, -1), "box": np.tile(atoms.cell.array.ravel(), (FEW, 1))}
    arrays |= {"energy": rng.normal(size=FEW), "force": rng.normal(size=moved.shape).reshape(FEW, -1)}
    for name, array in arrays.items():
        np.save(folder / "data/set.000" / f"{name}.npy", array)
    np.savetxt(folder / "data/type.raw", [names.index(symbol) for symbol in atoms.symbols], fmt="%d")
    (folder / "data/type_map.raw").write_text("\n".join(names) + "\n")
    network = {"precision": request["dtype"], "seed": 1}
    descriptor = {"type": "se_e2_a", "rcut": request["r_max"], "rcut_smth": 0.5, "sel": "auto:1.2", **request["options"]["descriptor"]}
    training = {
        "model": {"type_map": names, "descriptor": descriptor | network, "fitting_net": request["options"]["fitting"] | network},
        "learning_rate": {"type": "exp", "start_lr": 1e-6, "stop_lr": 1e-8, "decay_steps": 1},
        "loss": {"type": "ener"},
        "training": {"training_data": {"systems": ["data"], "batch_size": 1}, "numb_steps": 2, "disp_freq": 1, "save_freq": 1},
    }
    (folder / "input.json").write_text(json.dumps(training, indent=1))
    dp(folder, "train", "input.json")
    dp(folder, "freeze", "-o", "frozen.pb")


def dp(folder: Path, *arguments: str) -> None:
    done = subprocess.run([Path(sys.executable).parent / "dp", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"dp {' '.join(arguments)} failed: {done.stderr[-2000:]}")


if __name__ == "__main__":
    drive(build)
