#!/bin/sh
# Fills fuzz/corpus/TARGET with the vectors, and with the small interesting inputs of fuzz/seeds/TARGET.
set -eu
cd "$(dirname "$0")"
vectors=../tests/vectors

into() { # TARGET FILE…
    target=$1
    shift
    mkdir -p "corpus/$target"
    cp -- "$@" "corpus/$target/"
}

into yaml $vectors/generated/*.yaml
into json $vectors/generated/*.json
into dotenv $vectors/generated/*.env
into ini $vectors/generated/*.ini
into binary $vectors/generated/*.bin
into ssh_private $vectors/keys/ssh_* $vectors/ssh-to-age/vector?
into ssh_public $vectors/keys/*.pub $vectors/ssh-to-age/*.pub $vectors/ssh-to-age/vectors.tsv
into identity_file $vectors/keys/age-?.txt $vectors/keys/ssh_ed25519

# The bodies of `sops` entries, and the armored files in them.
mkdir -p corpus/metadata corpus/age_armor
for file in "$vectors"/generated/*.yaml; do
    name=$(basename "$file")
    sed -n '/^sops:/,$ { /^sops:/d; p; }' "$file" | awk '/^[^ ]/ { exit } { print }' >"corpus/metadata/$name"
    [ -s "corpus/metadata/$name" ] || rm "corpus/metadata/$name"
    sed -n '/BEGIN AGE/,/END AGE/ { s/^ *//; p; /END AGE/q; }' "$file" >"corpus/age_armor/$name"
    [ -s "corpus/age_armor/$name" ] || rm "corpus/age_armor/$name"
done

for directory in seeds/*/; do
    target=$(basename "$directory")
    mkdir -p "corpus/$target"
    cp -- "$directory"* "corpus/$target/"
done
