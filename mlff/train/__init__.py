"""Training of potentials: losses, metrics, loops. Import its modules by name, so that `metrics` needs neither torch nor Lightning."""
