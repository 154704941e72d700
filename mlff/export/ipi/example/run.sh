#!/bin/sh
# Molecular dynamics of structure.extxyz at 600 K by i-PI with the model in ./model: `sh run.sh`, in this folder. It writes run.out and
# run.pos_0.extxyz; <total_steps> in input.xml says for how long. Quantum nuclei want more beads and the thermostat pile_g there, and here
# a driver for each bead.
address=mlff_$$  # of this run alone: a driver of another would spoil it
sed "s/ADDRESS/$address/" input.xml > running.xml
i-pi running.xml &
server=$!
python -m mlff.export.ipi --model model --structure structure.extxyz --unix --address "$address"
status=$?
[ "$status" -eq 0 ] || kill "$server" 2> /dev/null
wait "$server" || status=$?
exit "$status"
