"""An evaluation stage by stage, whole tensors at a time: on every device, and what kernels that fuse the stages are measured by."""

from mlff.engine.choice import edges_of
from mlff.engine.collected import collected
from mlff.engine.evaluate import energies_and_pull
from mlff.model.potential import Potential, sum_of_sites
from mlff.nn.native.evaluation import Evaluated
from mlff.nn.slots import Neighborhood


def evaluated_by_stages(potential: Potential, hood: Neighborhood, virials: bool) -> Evaluated:
    """Energies, forces and, where they are asked for, virials of a stack."""
    edges = edges_of(potential.architecture.stage, hood.vectors.to(potential.dtype), hood.slots_per_species)
    energies, pull = energies_and_pull(potential.architecture, edges, hood)
    repelled, pushed = (None, None) if potential.repulsion is None else potential.repulsion.energies_and_pull(hood)
    forces, of_sites = collected(pull, potential.energy_scale, pushed, hood, virials)
    return Evaluated(energies, repelled, hood.of_atoms(forces).mT, sum_of_sites(of_sites, hood) if virials else None)
