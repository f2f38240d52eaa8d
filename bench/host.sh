# A booted Debian host for scripts that need systemd: sourced after lib.sh. Needs root, mmdebstrap and systemd-container.

[ "$(id -u)" = 0 ] || { echo "run it as root: it boots a host" >&2; exit 1; }

# make_host: unpacks the host's file system (BENCH_HOST, or one that is made here once) into $root, on the disk of $scratch, with
# ansible in /opt/ansible and the program.
make_host() {
    local base=${BENCH_HOST:-$checkout/target/bench-host.tar} python
    if [ ! -e "$base" ]; then
        echo "building the host's file system (once)" >&2
        mmdebstrap --quiet --variant=minbase \
            --include=systemd,systemd-sysv,dbus,git,openssh-client,python3,python3-venv,ca-certificates trixie "$base"
    fi
    root=$scratch/host
    mkdir "$root"
    tar --extract --file "$base" --directory "$root" --numeric-owner
    # ansible-core comes from PyPI and runs on the host itself, as ansible-pull would: no ssh in between.
    python=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    pip download --quiet --only-binary=:all: --python-version "$python" --dest "$root/wheels" ansible-core
    chroot "$root" python3 -m venv /opt/ansible
    chroot "$root" /opt/ansible/bin/pip install --quiet --no-index --find-links /wheels ansible-core
    install -m 755 "$steadfast" "$root/usr/bin/steadfast"
    mkdir -p "$root/etc/steadfast"
    printf 'host: bench\nremotes: [/srv/fleet]\nsettle: 1s\n' > "$root/etc/steadfast/agent.yml"
}

# boot_host: boots it, and waits until it is up; it goes down with the script.
boot_host() {
    systemd-nspawn -q -D "$root" --boot --register=no --keep-unit --private-network --link-journal=no \
        --machine="bench$$" > "$scratch/console" 2>&1 &
    nspawn=$!
    trap 'kill $nspawn 2> /dev/null; wait $nspawn 2> /dev/null; rm -rf "$scratch"' EXIT
    for _ in $(seq 100); do
        leader=$(pgrep -P "$nspawn" 2> /dev/null | head -n 1) || true
        [ -n "$leader" ] && on_host systemctl is-system-running --wait > /dev/null 2>&1 && return
        sleep 0.1
    done
}

# on_host COMMAND…: runs it there, as root.
on_host() { nsenter -t "$leader" -a "$@"; }

# playbook FILE: runs it there, with the fewest processes for each task that ansible can do with.
playbook() { on_host env ANSIBLE_PIPELINING=1 /opt/ansible/bin/ansible-playbook --connection local -i localhost, "$1"; }
