"""A hyperplane on disk: numbers as safetensors, settings and where it comes from as JSON, no pickle."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions

NUMBERS, CARD = "plane.safetensors", "plane.json"
SCHEMA = 1
FITTED = ("weights_", "mean_", "scale_")
SCALARS = ("intercept_", "C_", "slope_", "deviation_")


@dataclass(frozen=True)
class Softness:
    """A fitted plane with the structure functions that it is of.

    centre: symbol of the particles. provenance: settings of labels and trajectories, as JSON can hold them.
    species: all that the structures held which it was fitted to; () where nobody said, and then none is refused.
    """

    plane: Hyperplane
    functions: RadialFunctions
    centre: str
    provenance: Mapping = field(default_factory=dict)
    species: tuple[str, ...] = ()

    def of_frame(self, positions: np.ndarray, cell: np.ndarray, symbols) -> np.ndarray:
        """Softness of all particles of the kind, (n,), in the order of the atoms; of a periodic structure, Å.

        Raises:
            ValueError: none of its kind in the structure, or species that it was not fitted to.
        """
        if self.species and (new := sorted(set(symbols) - set(self.species))):
            raise ValueError(
                f"found {', '.join(new)} in the structure, expected species that the plane was fitted to, {', '.join(self.species)}: it "
                "knows no surroundings with others; fit another"
            )
        centres = np.flatnonzero(np.asarray(symbols) == self.centre)
        if not len(centres):
            raise ValueError(f"found no {self.centre} in the structure, expected some: the plane is of {self.centre}; fit another")
        return self.plane.soft(self.functions.of_frame(positions, cell, symbols, centres))

    def save(self, folder: str | Path) -> Path:
        """`plane.safetensors` and `plane.json` in a folder, which is made."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        v, c = self.plane.raw_plane
        arrays = {name: np.asarray(getattr(self.plane, name), float) for name in FITTED} | {"raw_weights": v}
        card = {
            "schema": SCHEMA,
            "softness": {"form": self.plane.softness, "positive": "mobile", "raw_intercept": c},
            "centre": self.centre,
            "species": list(self.species),
            "functions": asdict(self.functions),
            "columns": self.functions.names,
            "plane": {name: list(value) if isinstance(value, tuple) else value for name, value in self.plane.get_params().items()},
            "fitted": {name: float(getattr(self.plane, name)) for name in SCALARS},
            "classes": [int(c) for c in self.plane.classes_],
            "losses": {str(C): loss for C, loss in self.plane.losses_.items()},
            "provenance": dict(self.provenance),
            "versions": {name: _version(name) for name in ("mlff", "numpy", "scikit-learn")},
        }
        # whole or not at all, and the card last: a folder without it holds no plane
        unfinished = folder / f"{NUMBERS}.unfinished"
        save_file(arrays, unfinished)
        os.replace(unfinished, folder / NUMBERS)
        unfinished = folder / f"{CARD}.unfinished"
        unfinished.write_text(json.dumps(card, indent=1) + "\n")
        os.replace(unfinished, folder / CARD)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> "Softness":
        """Raises: FileNotFoundError: no plane there. ValueError: of a later schema, or arrays that do not fit the columns."""
        folder = Path(folder)
        if not (folder / CARD).is_file():
            raise FileNotFoundError(
                f"{folder} holds no {CARD}, expected the folder of a fitted plane; give the one that fit_softness.py wrote"
            )
        card = json.loads((folder / CARD).read_text())
        if card["schema"] > SCHEMA:
            raise ValueError(f"{folder}: found schema {card['schema']}, expected at most {SCHEMA}; update this project")
        arrays = load_file(folder / NUMBERS)
        functions = RadialFunctions(**card["functions"])
        if any(arrays[name].shape != (len(functions),) for name in FITTED):
            raise ValueError(
                f"{folder}: found weights of shape {arrays['weights_'].shape}, expected ({len(functions)},) as its columns; it is damaged"
            )
        plane = Hyperplane(**card["plane"])
        for name in FITTED:
            setattr(plane, name, arrays[name])
        for name, value in card["fitted"].items():
            setattr(plane, name, value)
        plane.classes_, plane.n_features_in_ = np.array(card["classes"]), len(functions)
        plane.losses_ = {float(C): loss for C, loss in card["losses"].items()}
        return cls(plane, functions, card["centre"], card["provenance"], tuple(card.get("species", ())))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
