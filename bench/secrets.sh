#!/usr/bin/env bash
# Secret files against the real sops on the same files, as whole processes, in one run: decrypting 1,000 values and three,
# setting one value in a file of 1 MB, an edit that changes nothing, encrypting 8 MiB beside `openssl speed`.
source "$(dirname "$0")/lib.sh"
sops=$(sops_program)
rounds=${ROUNDS:-30}
command -v hyperfine > /dev/null || { echo "needs hyperfine: apt-get install hyperfine" >&2; exit 1; }
export SOPS_AGE_KEY_FILE=$checkout/tests/vectors/keys/age-a.txt
export HOME=$scratch EDITOR=true SOPS_EDITOR=true XDG_CONFIG_HOME=$scratch/config
recipient=$(sed -n 's/^# public key: //p' "$SOPS_AGE_KEY_FILE")
cd "$scratch"
printf 'creation_rules:\n  - age: %s\n' "$recipient" > .sops.yaml

values_of() { # COUNT BYTES: a YAML file of that many values of that length
    local i
    for ((i = 0; i < $1; i++)); do printf 'key%05d: value %0*d\n' "$i" "$2" "$i"; done
}
values_of 3 20 > three.yaml
values_of 1000 20 > thousand.yaml
values_of 7000 40 > large.yaml # about 1 MB once encrypted
for file in three thousand large; do "$sops" encrypt -i "$file.yaml"; done
head -c $((8 * 1024 * 1024)) /dev/urandom > noise.bin

# versus NAME ARGS-OF-OURS -- ARGS-OF-SOPS: median wall time, without a shell in between, and peak memory of both.
# `edit` ends with 200 when nothing was changed, which is what is asked for: exit codes are not looked at.
versus() {
    local name=$1 ours=() theirs=() a b
    shift
    while [ "$1" != -- ]; do ours+=("$1") && shift; done
    shift
    theirs=("$@")
    hyperfine --shell=none --ignore-failure --warmup 3 --runs "$rounds" --export-csv "$scratch/times" --style none \
        "$(quoted "$steadfast" secrets "${ours[@]}")" "$(quoted "$sops" "${theirs[@]}")" > /dev/null 2>&1
    read -r a b < <(awk -F, 'NR > 1 { printf "%s ", $(NF - 4) } END { print "" }' "$scratch/times")
    printf '%-42s ours %5.1f ms %5s MiB   sops %5.1f ms %5s MiB   faster %.1fx\n' "$name" \
        "$(scaled "$a")" "$(peak_mib "$steadfast" secrets "${ours[@]}")" \
        "$(scaled "$b")" "$(peak_mib "$sops" "${theirs[@]}")" "$(awk -v a="$a" -v b="$b" 'BEGIN { print b / a }')"
}
quoted() { printf '%q ' "$@"; }
scaled() { awk -v s="$1" 'BEGIN { print s * 1000 }'; }

printf '"%s"' changed > value.json
printf changed > value
cp large.yaml large-theirs.yaml
versus 'decrypt a file of 3 values' view three.yaml -- decrypt three.yaml
versus 'decrypt a file of 1,000 values' view thousand.yaml -- decrypt thousand.yaml
versus "decrypt a file of 7,000 values, $(($(stat -c %s large.yaml) / 1024)) KiB" view large.yaml -- decrypt large.yaml
versus 'set one value in that file' set large.yaml '["key03500"]' --value-file value.json -- \
    set --value-file large-theirs.yaml '["key03500"]' value.json
versus 'edit that changes nothing, 1,000 values' edit thousand.yaml -- edit thousand.yaml
versus 'encrypt a binary file of 8 MiB' encrypt noise.bin -- encrypt noise.bin
echo
echo "AES-256-GCM of this machine, blocks of 16 KiB: $(openssl speed -elapsed -seconds 1 -bytes 16384 -evp aes-256-gcm 2> /dev/null | tail -n 1)"
