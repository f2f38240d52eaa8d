#!/usr/bin/env bash
# Who can read what, over a whole repository: 500 secret files, 40 hosts, 200 commits. `rekey` against a loop of the real
# `sops updatekeys -y` over the same files, in the same run. SOPS names the real sops.
source "$(dirname "$0")/lib.sh"
files=${1:-500} hosts=${2:-40} commits=${3:-200}
sops=${SOPS:-${STEADFAST_SOPS:-$(command -v sops || true)}}
tree=$scratch/tree
export HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home/.config
mkdir -p "$tree/secrets" "$XDG_CONFIG_HOME/sops/age" "$scratch/keys"
# An age identity of this bench alone; it protects nothing.
export SOPS_AGE_KEY=AGE-SECRET-KEY-1RX5LUG58PX54NJZJE8DF0967VCAT4G20SVX93KGF6VWXFWK6CUYQL7PAP9
operator=age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga
git() { command git -C "$tree" -c user.name=bench -c user.email=bench@example.org -c gc.auto=0 "$@"; }
ours() { (cd "$tree" && "$steadfast" secrets "$@"); }

# rules HOSTS: everybody up to HOSTS, for all files.
rules() {
    local i
    {
        echo "keys:"
        echo "  - &operator $operator"
        for ((i = 0; i < $1; i++)); do echo "  - &host$i ${recipients[i]}"; done
        echo "creation_rules:"
        echo "  - path_regex: ^secrets/.*\\.yml\$"
        echo "    age:"
        echo "      - *operator"
        for ((i = 0; i < $1; i++)); do echo "      - *host$i"; done
    } > "$tree/.sops.yaml"
}

recipients=()
for ((i = 0; i < hosts; i++)); do
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$scratch/keys/host$i"
    recipients+=("$("$steadfast" secrets host-key --file "$scratch/keys/host$i.pub" | awk '$1 == "age" { print $2 }')")
    mkdir -p "$tree/hosts/host$i"
    cp "$scratch/keys/host$i.pub" "$tree/hosts/host$i/ssh_host_ed25519_key.pub"
    {
        echo "secrets:"
        for ((f = 0; f < files; f++)); do
            printf '  s%03d/password: { file: /secrets/%03d.yml, key: db/password }\n' "$f" "$f"
        done
    } > "$tree/hosts/host$i/host.yml"
done
rules "$hosts"
for ((f = 0; f < files; f++)); do
    name=$(printf secrets/%03d.yml "$f")
    printf 'db:\n    user: app\n    password: value %d\napi:\n    token: token %d\n' "$f" "$f" > "$tree/$name"
    ours encrypt -i "$name" > /dev/null 2>&1
done
git init -q -b main
git add -A
git commit -qm "$files files for $hosts hosts"
for ((c = 1; c < commits; c++)); do
    name=$(printf secrets/%03d.yml $((c % files)))
    echo "value $c" | ours set "$name" api/token > /dev/null 2>&1
    git commit -qam "change $c"
done

# timed COMMAND…: seconds, from the tree as committed.
timed() {
    git reset -q --hard
    git clean -qfd
    [ -z "$before" ] || $before
    sync
    seconds "$@"
}
one_less() { rules $((hosts - 1)); rm -r "$tree/hosts/host$((hosts - 1))"; }
only_operator() { rules 0; ours rekey > /dev/null 2>&1; git add -A; rules "$hosts"; }
updatekeys() {
    local f
    for ((f = 0; f < files; f++)); do
        (cd "$tree" && "$sops" updatekeys -y "$(printf secrets/%03d.yml "$f")") || return 1
    done
}

echo "tree:                                    $files files, $hosts hosts, $commits commits"
before=
echo "who, every file:                         $(timed ours who) s"
echo "check, with the MAC of every file:       $(timed ours check) s"
echo "check, without a key:                    $(SOPS_AGE_KEY='' timed ours check) s"
before=one_less
one=$(timed ours rekey)
echo "rekey, a host of $hosts less:                 $one s"
before=
echo "rekey --rotate, all values anew:         $(timed ours rekey --rotate) s"
before=only_operator
all=$(timed ours rekey)
echo "rekey, from one recipient to $((hosts + 1)):         $all s"
before=
mkdir -p "$scratch/new"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$scratch/new/key"
joins() { mkdir -p "$tree/hosts/new"; cp "$tree/hosts/host0/host.yml" "$tree/hosts/new/host.yml"; }
before=joins
echo "onboard, a host that uses every file:    $(timed ours onboard new --file "$scratch/new/key.pub") s"
before=
echo "offboard, with the whole history:        $(timed ours offboard host0) s"
if [ -n "$sops" ]; then
    before=one_less
    theirs=$(timed updatekeys)
    echo "sops updatekeys -y, a loop, a host less: $theirs s, $(awk -v a="$theirs" -v b="$one" 'BEGIN { printf "%.1f", a / b }') times ours"
    before=only_operator
    theirs=$(timed updatekeys)
    echo "sops updatekeys -y, a loop, from one:    $theirs s, $(awk -v a="$theirs" -v b="$all" 'BEGIN { printf "%.1f", a / b }') times ours"
else
    echo "sops updatekeys -y:                      no real sops here; SOPS names it"
fi
