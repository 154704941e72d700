"""Molecular dynamics of many replicas: `python scripts/run_md.py model=bundled:li3ps4 structures=[Li3PS4_alpha] repeat=[3,3,3]`."""

from omegaconf import DictConfig

from mlff.run.command import command
from mlff.run.md import run_md


@command("md", folder="md")
def main(cfg: DictConfig) -> None:
    run_md(cfg)


if __name__ == "__main__":
    main()
