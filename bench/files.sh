#!/usr/bin/env bash
# First activation of 1,000 small files against the bare loop that writes the same files; then a second run.
source "$(dirname "$0")/lib.sh"
count=${1:-1000}
rustc -O -o "$scratch/bare_loop" "$here/bare_loop.rs"
fleet_of "$count" "$scratch/fleet"
ours=() bare=() again=() ratios=()
for round in 1 2 3 4 5; do
    now=("$steadfast" reconcile now --root "$scratch/root$round" --repo "$scratch/fleet" --host bench)
    b=$(seconds "$scratch/bare_loop" "$scratch/fleet/hosts/bench/files" "$scratch/bare$round")
    o=$(seconds "${now[@]}")
    bare+=("$b") ours+=("$o") again+=("$(seconds "${now[@]}")")
    ratios+=("$(awk -v o="$o" -v b="$b" 'BEGIN { printf "%.2f", o / b }')")
done
echo "files:                                 $count"
echo "bare write, fsync, rename, median of 5: $(median "${bare[@]}") s"
echo "first activation, median of 5:          $(median "${ours[@]}") s"
echo "ratio, median of the pairs:             $(median "${ratios[@]}")"
echo "second run, nothing to do:              $(median "${again[@]}") s"
