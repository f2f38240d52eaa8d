#!/usr/bin/env bash
# `reconcile now` with nothing to do, from a local repository: wall time and peak memory.
source "$(dirname "$0")/lib.sh"
fleet_of "${1:-20}" "$scratch/fleet"
now=("$steadfast" reconcile now --root "$scratch/root" --repo "$scratch/fleet" --host bench)
"${now[@]}" > /dev/null 2>&1
times=()
for _ in 1 2 3 4 5 6 7 8 9 10 11; do times+=("$(seconds "${now[@]}")"); done
echo "files in the generation:  ${1:-20}"
echo "wall, median of 11:       $(median "${times[@]}") s"
echo "peak memory:              $(peak_mib "${now[@]}") MiB"
