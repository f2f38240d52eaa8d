#!/usr/bin/env bash
# The agent waiting: resident memory, and processor time over a while at a 60 s interval.
source "$(dirname "$0")/lib.sh"
watch_secs=${1:-180}
fleet_of 20 "$scratch/fleet"
"$steadfast" agent --root "$scratch/root" --repo "$scratch/fleet" --host bench > "$scratch/log" 2>&1 &
agent=$!
trap 'kill $agent; wait $agent || true; rm -rf "$scratch"' EXIT
sleep 10
ticks() { awk '{ print $14 + $15 }' "/proc/$agent/stat"; }
before=$(ticks)
sleep "$watch_secs"
used=$(($(ticks) - before))
echo "resident:          $(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$agent/status") MiB"
echo "processor time:    $(awk -v t="$used" -v hz="$(getconf CLK_TCK)" -v s="$watch_secs" 'BEGIN { printf "%.3f", 100 * t / hz / s }') % over $watch_secs s"
