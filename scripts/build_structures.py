"""Build structures: `python scripts/build_structures.py builder=argyrodite_random seed=0 output=random.extxyz`."""

from omegaconf import DictConfig, OmegaConf

from mlff.run.command import command


def names() -> str:
    from mlff.structure import names  # here, so that only --help pays for it

    return " ".join(names())


OmegaConf.register_new_resolver("structure_names", names)


@command("build")
def main(cfg: DictConfig) -> None:
    from hydra.utils import instantiate  # here, so that --help answers at once

    from mlff.run.build import build_structures, print_rows

    arguments = OmegaConf.to_container(cfg, resolve=True)
    arguments["builder"] = instantiate(cfg.builder, _convert_="all")
    print_rows(*build_structures(**arguments))


if __name__ == "__main__":
    main()
