#!/usr/bin/env bash
# 1,000 changed files and 20 units that restart because of them, on a booted Debian host: `reconcile now`, in phases; the same
# change done by hand (`bare_loop.rs`, and one `systemctl restart` of all 20); and the same by `ansible-playbook`. Then a pass
# with nothing to do: what it writes, the jobs it gives systemd, its time.
#
# All on one disk, in turns. ROUNDS=3 of ours and by hand, ANSIBLE_ROUNDS=1; FILES=1000, UNITS=20.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/host.sh"
files=${FILES:-1000}
units=${UNITS:-20}
rounds=${ROUNDS:-3}
command -v strace > /dev/null || { echo "needs strace: apt-get install strace" >&2; exit 1; }
for tool in bare_loop stamp; do rustc -O -o "$scratch/$tool" "$here/$tool.rs" 2> /dev/null; done
window=1 # the settle window of `host.sh`, in seconds: waiting, not work

make_host
repo=$root/srv/fleet
fleet_of "$files" "$repo"
for ((i = 0; i < units; i++)); do
    unit=bench-$(printf %02d "$i").service
    # Each reads one of the files; those are the ones that restart something.
    sed -i "s|^  /srv/bench/$(printf %05d "$i").conf: { file: \(.*\) }|  /srv/bench/$(printf %05d "$i").conf: { file: \1, units: { restart: [$unit] } }|" \
        "$repo/hosts/bench/host.yml"
    names+=("$unit")
done
{
    echo "units:"
    for unit in "${names[@]}"; do
        printf '  %s: { text: "[Service]\\nExecStart=/bin/sleep infinity\\n", start: true }\n' "$unit"
    done
} >> "$repo/hosts/bench/host.yml"
cat > "$root/srv/playbook.yml" << END
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.copy: { src: /srv/fleet/hosts/bench/files/, dest: /srv/bench/, mode: "0644" }
      notify: restart
  handlers:
    - name: restart
      ansible.builtin.systemd_service: { name: "{{ item }}", state: restarted }
      loop: [$(IFS=,; echo "${names[*]}")]
END

# change VERSION: other content for every file, committed.
change() {
    local file
    for file in "$repo"/hosts/bench/files/*; do printf '%s\nversion %s\n' "$(head -n 2 "$file")" "$1" > "$file"; done
    git -C "$repo" add -A
    git -C "$repo" -c user.name=bench -c user.email=bench@example.org commit -qm "version $1"
}
# jobs: how many jobs systemd was given since it started.
jobs_given() { on_host systemctl show --property=NInstalledJobs --value; }
running() { on_host systemctl show --property=MainPID --value "${names[@]}" | grep -c '^[1-9]'; }

# reconcile: one pass; every line of its progress with the moment it came, in $scratch/progress.
reconcile() {
    on_host steadfast reconcile now 2>&1 > "$scratch/answer" | "$scratch/stamp" > "$scratch/progress"
    return "${PIPESTATUS[0]}"
}

# phases BEGAN ENDED: seconds by phase, out of the progress of one pass.
phases() {
    awk -v began="$1" -v ended="$2" '
        function enter(name) { spent[phase] += $1 - since; since = $1; phase = name }
        BEGIN { phase = "fetch"; since = began }
        $2 == "building" { enter("build") }
        $2 == "opening" { enter("secrets") }
        $2 == "looking" { enter("observe") }
        $2 == "planned" { enter("prepare") }
        $2 ~ /^\[/ && /write|create|update|replace/ { if (phase != "files") enter("files") }
        $2 ~ /^\[/ && /restart/ { if (phase != "units") enter("units") }
        $2 ~ /^\[/ && !/write|create|update|replace|restart/ { if (phase != "others") enter("others") }
        $2 == "watching" || /settl/ { enter("settle") }
        $2 == "asking" || /checks/ { enter("probe") }
        END { $1 = ended; enter(""); for (name in spent) printf "%s %.3f\n", name, spent[name] }' "$scratch/progress"
}

change 0
boot_host
reconcile || { cat "$scratch/progress" >&2; exit 1; }
# What is replaced by hand is there before, as it is for ours.
"$scratch/bare_loop" "$repo/hosts/bench/files" "$root/srv/bare"
[ "$(running)" = "$units" ] || { echo "the units do not run" >&2; exit 1; }

ours=() net=() bare_files=() bare_units=() overheads=() version=0
: > "$scratch/phases"
for _ in $(seq "$rounds"); do
    change $((++version))
    b=$(seconds "$scratch/bare_loop" "$repo/hosts/bench/files" "$root/srv/bare") && bare_files+=("$b")
    u=$(seconds on_host systemctl restart "${names[@]}") && bare_units+=("$u")
    given=$(jobs_given)
    began=$EPOCHREALTIME
    reconcile || { cat "$scratch/progress" >&2; exit 1; }
    ended=$EPOCHREALTIME
    given=$(($(jobs_given) - given))
    cmp -s "$repo/hosts/bench/files/00007.conf" "$root/srv/bench/00007.conf" || { echo "nothing was changed" >&2; exit 1; }
    phases "$began" "$ended" > "$scratch/one"
    cat "$scratch/one" >> "$scratch/phases"
    o=$(awk -v a="$began" -v b="$ended" 'BEGIN { print b - a }')
    n=$(awk -v o="$o" -v w="$window" 'BEGIN { print o - w }')
    ours+=("$o") net+=("$n")
    overheads+=("$(awk -v n="$n" -v b="$b" -v u="$u" 'BEGIN { printf "%.0f", 100 * (n / (b + u) - 1) }')")
    cp "$scratch/progress" "$scratch/progress.last"
done

idle_given=$(jobs_given)
idle=()
for _ in $(seq "$rounds"); do idle+=("$(seconds on_host steadfast reconcile now)"); done
idle_given=$(($(jobs_given) - idle_given))
# Every call that changes a file system, or writes: it is the terminal alone that hears of it. The lock is opened, not written.
calls=openat,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat,symlink,symlinkat,truncate,ftruncate
calls+=,fchmod,fchmodat,chmod,chown,fchown,lchown,fchownat,setxattr,fsetxattr,lsetxattr,removexattr,utimensat
calls+=,write,pwrite64,writev,pwritev,fallocate,copy_file_range,fsync,fdatasync,syncfs
strace -f -qq -y -e "trace=$calls" -e signal=none -o "$scratch/strace" nsenter -t "$leader" -a steadfast reconcile now \
    > /dev/null 2>&1
grep -v ' = -1 ' "$scratch/strace" |
    grep -Ev 'openat\(.*O_RDONLY|/dev/null|/proc/|pipe:|socket:|anon_inode:|eventfd|openat\(.*/lock",' > "$scratch/writes" || true
written=$(grep -c . "$scratch/writes" || true)

theirs=()
for _ in $(seq "${ANSIBLE_ROUNDS:-1}"); do
    change $((++version))
    theirs+=("$(seconds playbook /srv/playbook.yml)")
    cmp -s "$repo/hosts/bench/files/00007.conf" "$root/srv/bench/00007.conf" || { echo "ansible changed nothing" >&2; exit 1; }
done

o=$(median "${ours[@]}") n=$(median "${net[@]}")
echo "files changed, units restarted:             $files, $units"
echo "rounds:                                     $rounds"
echo "by hand, files (write, fsync, rename):      $(median "${bare_files[@]}") s"
echo "by hand, one systemctl restart of all:      $(median "${bare_units[@]}") s"
echo "reconcile now, as a whole:                  $o s"
for phase in fetch build secrets observe prepare files others units settle probe; do
    took=$(awk -v p="$phase" '$1 == p { print $2 }' "$scratch/phases")
    [ -z "$took" ] || printf '  %-40s  %s s\n' "$phase" "$(median $took)"
done
echo "without the settle window of $window s:          $n s"
echo "more than by hand, median of pairs:         $(median "${overheads[@]}") %"
echo "jobs given to systemd by it:                $given"
echo "nothing to do, wall:                        $(median "${idle[@]}") s"
echo "  jobs given to systemd:                    $idle_given"
echo "  calls that write or change a file:        $written"
if [ "${#theirs[@]}" != 0 ]; then
    t=$(median "${theirs[@]}")
    echo "ansible-playbook, the same change:          $t s, $(awk -v o="$o" -v t="$t" 'BEGIN { printf "%.0f", t / o }') times as long"
fi
if [ -n "${KEEP:-}" ]; then mkdir -p "$KEEP" && cp "$scratch/progress.last" "$scratch/writes" "$KEEP/"; fi
