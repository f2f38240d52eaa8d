#!/usr/bin/env bash
# A scan of 10,000 unchanged files, and `sha256sum` of the same files: once with nothing cached by the kernel, once with
# everything; then the fast path, which reads only what changed; then how soon the agent tells of an edit, whose next scan is a
# day away. Needs root, to drop the kernel's caches.
source "$(dirname "$0")/lib.sh"
count=${1:-10000}
[ "$(id -u)" = 0 ] || { echo "needs root, to drop the kernel's caches" >&2; exit 1; }
root=$scratch/root
fleet_of "$count" "$scratch/fleet"
options=(--root "$root" --host bench)
"$steadfast" reconcile now --repo "$scratch/fleet" "${options[@]}" > "$scratch/output" 2>&1 || { tail "$scratch/output" >&2; exit 1; }
find "$root/srv/bench" -type f | sort > "$scratch/names"
sums() { xargs sha256sum < "$scratch/names"; }
full() { "$steadfast" drift --full "${options[@]}"; }
fast() { "$steadfast" drift "${options[@]}"; }
forget() { sync; echo 3 > /proc/sys/vm/drop_caches; }

# What files held is remembered by the agent's own scans.
mkdir -p "$root/etc/steadfast"
printf 'poll_interval: 1d\ndrift_interval: 1s\n' > "$root/etc/steadfast/agent.yml"
"$steadfast" agent --repo "$scratch/fleet" "${options[@]}" > "$scratch/log" 2>&1 &
agent=$!
trap 'kill "$agent" 2> /dev/null; wait "$agent" || true; rm -rf "$scratch"' EXIT
for ((i = 0; i < 300; i++)); do [ -e "$root/var/lib/steadfast/seen" ] && break; sleep 0.1; done
[ -e "$root/var/lib/steadfast/seen" ] || { cat "$scratch/log" >&2; exit 1; }
kill "$agent" && wait "$agent" || true

cold_sums=() cold_full=() cold_ratio=() warm_sums=() warm_full=() warm_fast=() fast_ratio=() warm_ratio=()
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
for round in 1 2 3 4 5; do
    forget; s=$(seconds sums)
    forget; f=$(seconds full)
    cold_sums+=("$s") cold_full+=("$f") cold_ratio+=("$(ratio "$f" "$s")")
    seconds sums > /dev/null
    w=$(seconds sums) f=$(seconds full) q=$(seconds fast)
    warm_sums+=("$w") warm_full+=("$f") warm_fast+=("$q")
    fast_ratio+=("$(ratio "$q" "$s")") warm_ratio+=("$(ratio "$q" "$w")")
done
echo "files:                                       $count"
echo "sha256sum, caches dropped, median of 5:      $(median "${cold_sums[@]}") s"
echo "full scan, caches dropped:                   $(median "${cold_full[@]}") s, $(median "${cold_ratio[@]}") of it"
echo "sha256sum, everything cached:                $(median "${warm_sums[@]}") s"
echo "full scan, everything cached:                $(median "${warm_full[@]}") s"
echo "scan on the fast path:                       $(median "${warm_fast[@]}") s, $(median "${fast_ratio[@]}") of the cold sha256sum, $(median "${warm_ratio[@]}") of the cached one"
echo "peak memory, full scan and fast path:        $(peak_mib "$steadfast" drift --full "${options[@]}") MiB, $(peak_mib "$steadfast" drift "${options[@]}") MiB"

printf 'poll_interval: 1d\ndrift_interval: 1d\n' > "$root/etc/steadfast/agent.yml"
"$steadfast" agent --repo "$scratch/fleet" "${options[@]}" > "$scratch/log" 2>&1 &
agent=$!
tells() { grep -c 'drift found' "$scratch/log" || true; }
now() { date +%s.%N; }
told=()
for number in 1 2 3 4 5 6; do
    # A few looks are made at once, then one in five seconds.
    sleep 6
    known=$(tells) begun=$(now)
    echo edited >> "$root/srv/bench/0000$number.conf"
    while [ "$(tells)" = "$known" ]; do sleep 0.002; done
    # The first look reads every file.
    [ "$number" = 1 ] || told+=("$(awk -v a="$(now)" -v b="$begun" 'BEGIN { printf "%.3f", a - b }')")
done
echo "an edit is told after, median of 5:          $(median "${told[@]}") s"
