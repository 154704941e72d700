"""Constraints on polyatomic anions for LAMMPS: the file that `fix mlff/constrain` reads."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.export.held_anions import hold_anions, taken
from mlff.export.lammps.structure import prism_of

SCHEMA = 1  # as in plugin/held_anions.cpp


def write_constraint(
    path: Path, atoms: Atoms, mode: str, kinds: Collection[str] | None = None, shapes: Mapping[int, np.ndarray] | None = None
) -> Atoms:
    """Write which motions of the anions are taken away, for the box of `mlff.export.lammps.data_file`.

    Input for LAMMPS, at the temperature of a Langevin thermostat:

        read_data structure.data
        pair_style mlff
        pair_coeff * * model.safetensors Li P S
        fix move all nve
        fix heat all langevin 600 600 0.1 4711
        fix hold all mlff/constrain anions.json
        compute_modify thermo_temp extra/dof 0
        velocity all create 600 1 dist gaussian
        run 0
        velocity all scale 600 temp thermo_temp
        run 1000

    - The fix stands after every fix that changes forces. It goes with fix nve and nvt, thermostats that add forces (langevin, but not
      its gjf) or scale all velocities (temp/csvr, temp/rescale, temp/berendsen), and min_style cg, sd and hftn. A fix that gives
      velocities what is taken away stops the run. Refused: a box that changes, because the constraints' forces have a virial of their
      own, which is not derived; thus `press` has the model's alone. Refused too: run_style respa, and fix rigid, shake and rattle on
      atoms of the anions.
    - Every compute of a temperature asks the fix for the degrees of freedom that it takes away. LAMMPS takes 3 more for the total
      momentum, of its own accord. That is right where the momentum is conserved (RC and RVC with fix nve, nvt, temp/csvr), and wrong
      where anions stand (TC, RTC, RTVC) or under fix langevin: say `compute_modify thermo_temp extra/dof 0` there. A fix nvt named
      `move` has a compute of its own: `compute_modify move_temp extra/dof 0`. The fix warns where it finds 3 taken too many.
    - `velocity create` knows no constraint: when a run begins what is taken away is projected out, and the temperature falls. Thus
      `run 0`, and `velocity scale`, which counts as it is told by `temp`.
    - A restart file does not hold the constraint; the input says the fix again. `replicate` makes atoms that the file does not know, and
      is refused: repeat the structure before this is called.

    Args:
        path: of the file, JSON: atoms by id, masses, references and directions in LAMMPS's axes.
        mode: RC, TC, RTC, RVC or RTVC. kinds, shapes: as those of `mlff.export.held_anions.hold_anions`.
    Returns:
        a copy of the atoms where the constraints begin; write the data file of it. Positions are others only where `shapes` are given.
    Raises:
        ValueError: as `hold_anions`.
    """
    held, positions = hold_anions(atoms, mode, kinds, shapes)
    begun = atoms.copy()
    begun.set_constraint()
    begun.positions = positions
    turned = prism_of(begun).to_lammps
    anions = []
    for group in held:
        for members, masses, reference, directions in zip(group.atoms, group.masses, group.reference, taken(group), strict=True):
            anions.append(
                {
                    "tags": (members + 1).tolist(),
                    "masses": masses.tolist(),
                    "reference": turned(reference).tolist(),
                    "taken": turned(directions.reshape(-1, 3)).reshape(directions.shape).tolist(),
                }
            )
    card = {"schema": SCHEMA, "mode": mode, "n_atoms": len(atoms), "pins_momentum": held[0].pins_momentum, "anions": anions}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(card))
    part.replace(path)
    return begun
