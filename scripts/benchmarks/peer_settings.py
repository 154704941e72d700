"""Which codes the comparison knows, in which sizes and modes. Sizes are those of published models, or those whose errors are published."""

from dataclasses import dataclass

ALLEGRO = {"l_max": 2, "num_scalar_features": 64}


@dataclass(frozen=True)
class Peer:
    """A code.

    Args:
        driver: the module in peer_drivers that runs it.
        module: what must be importable in its environment.
        modes: ways to run it; the table shows the fastest.
        models: label → the driver's options.
    """

    driver: str
    module: str
    modes: tuple[str, ...]
    models: dict[str, dict]


PEERS = {
    "mace": Peer(
        driver="mace",
        module="mace.calculators",
        modes=("eager", "scripted", "compiled", "cueq"),
        models={
            "MACE 64x0e": {"hidden": "64x0e"},
            "MACE 32x0e+32x1o": {"hidden": "32x0e+32x1o"},
            "MACE 128x0e+128x1o": {"hidden": "128x0e+128x1o"},
        },
    ),
    "nequip": Peer(
        driver="nequip",
        module="nequip.integrations.ase",
        modes=("eager", "aot"),
        models={
            "NequIP 3 layers": {"num_layers": 3, "l_max": 2, "num_features": 32},
            "NequIP 4 layers": {"num_layers": 4, "l_max": 2, "num_features": 32},
        },
    ),
    "allegro": Peer(
        driver="nequip",
        module="allegro.model",
        modes=("eager", "aot"),
        models={
            "Allegro 1 layer": ALLEGRO | {"num_layers": 1, "num_tensor_features": 8},
            "Allegro 2 layers": ALLEGRO | {"num_layers": 2, "num_tensor_features": 32},
        },
    ),
    "sevenn": Peer(
        driver="sevenn",
        module="sevenn.calculator",
        modes=("eager", "compiled"),
        models={
            "SevenNet default": {},
            "SevenNet-0": {
                "irreps_manual": ["128x0e", *4 * ["128x0e+64x1e+32x2e"], "128x0e"],
                "lmax": 2,
                "num_convolution_layer": 5,
                "is_parity": False,
                "self_connection_type": "linear",
            },
        },
    ),
    "nep": Peer(
        driver="nep",
        module="calorine.calculators",
        modes=("C++",),
        models={"NEP": {"angular": 4.0, "n_max": [4, 4], "basis": [8, 8], "l_max": [4, 2, 0], "neurons": 30}},
    ),
    "deepmd": Peer(
        driver="deepmd",
        module="deepmd.calculator",
        modes=("frozen", "compressed"),
        models={
            "DeePMD se_e2_a": {
                "descriptor": {"neuron": [25, 50, 100], "axis_neuron": 16},
                "fitting": {"neuron": [240, 240, 240]},
            }
        },
    ),
}


def ours(models: list[str], members: list[int], size: str, r_max: float, own_r_max: dict[str, float]) -> Peer:
    """Each model at the common r_max (Å), and at its own default where that is another."""
    described = {}
    for architecture in models:
        for n in members:
            of = f" of {n}" if n > 1 else ""
            options = {"architecture": architecture, "size": size, "members": n}
            described[architecture + of] = options
            if own_r_max[architecture] != r_max:
                described[f"{architecture}{of}, {own_r_max[architecture]} Å"] = options | {"r_max": own_r_max[architecture]}
    return Peer("mlff", "mlff.export.ase", ("engine",), described)
