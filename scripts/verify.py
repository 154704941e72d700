"""A model in every engine beside its golden frames: `python scripts/verify.py model=…`; settings: conf/export/verify.yaml."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("verify", folder="export")
def main(cfg: DictConfig) -> None:
    from mlff.run.verify import verify_engines  # here, so that --help answers without loading torch

    verify_engines(cfg)


if __name__ == "__main__":
    main()
