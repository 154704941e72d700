#!/bin/sh
# Molecular dynamics of structure.extxyz at 600 K by i-PI with the model in ./model: `sh run.sh`. It writes run.out and run.pos_0.extxyz.
# Quantum nuclei want more beads and the thermostat pile_g in input.xml, and here a driver for each bead.
i-pi input.xml &
python -m mlff.export.ipi --model model --structure structure.extxyz --address localhost --port 31415 || kill $!
wait
