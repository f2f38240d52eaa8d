#!/usr/bin/env bash
# 100 files, a user and a unit: `reconcile now` against `ansible-playbook`, on the same booted Debian host, in turns.
#
# Needs root, mmdebstrap and systemd-container. ansible-core comes from PyPI and runs on the host itself
# (`--connection local`), as ansible-pull would: no ssh in between. Between rounds everything is taken away again.
source "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { echo "run it as root: it boots a host" >&2; exit 1; }
count=100
rounds=${ROUNDS:-3}

base=$checkout/target/bench-host.tar
if [ ! -e "$base" ]; then
    echo "building the host's file system (once)" >&2
    mmdebstrap --quiet --variant=minbase \
        --include=systemd,systemd-sysv,dbus,git,openssh-client,python3,python3-venv,ca-certificates trixie "$base"
fi
root=$scratch/host
mkdir "$root"
tar --extract --file "$base" --directory "$root" --numeric-owner
python=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
pip download --quiet --only-binary=:all: --python-version "$python" --dest "$root/wheels" ansible-core
chroot "$root" python3 -m venv /opt/ansible
chroot "$root" /opt/ansible/bin/pip install --quiet --no-index --find-links /wheels ansible-core
install -m 755 "$steadfast" "$root/usr/bin/steadfast"

# The same 100 files, user and unit, once for each.
fleet_of "$count" "$root/srv/fleet"
unit='[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target'
printf '%s\n' "$unit" > "$root/srv/fleet/hosts/bench/bench.service"
cat >> "$root/srv/fleet/hosts/bench/host.yml" <<END
users:
  bench: { description: benchmark, shell: /bin/sh }
units:
  bench.service: { file: bench.service, enable: true, start: true }
END
git -C "$root/srv/fleet" add -A
git -C "$root/srv/fleet" -c user.name=bench -c user.email=bench@example.org commit -qm 'user and unit'
cat > "$root/srv/playbook.yml" <<'END'
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.file: { path: /srv/bench, state: directory, mode: "0755" }
    - ansible.builtin.copy: { src: "{{ item }}", dest: /srv/bench/, mode: "0644" }
      with_fileglob: /srv/fleet/hosts/bench/files/*.conf
    - ansible.builtin.user: { name: bench, comment: benchmark, shell: /bin/sh }
    - ansible.builtin.copy: { src: /srv/fleet/hosts/bench/bench.service, dest: /etc/systemd/system/bench.service, mode: "0644" }
    - ansible.builtin.systemd_service: { name: bench.service, enabled: true, state: started, daemon_reload: true }
END
mkdir -p "$root/etc/steadfast"
printf 'host: bench\nremotes: [/srv/fleet]\nsettle: 1s\n' > "$root/etc/steadfast/agent.yml"

systemd-nspawn -q -D "$root" --boot --register=no --keep-unit --private-network --link-journal=no --machine="bench$$" \
    > "$scratch/console" 2>&1 &
nspawn=$!
trap 'kill $nspawn 2> /dev/null; wait $nspawn 2> /dev/null; rm -rf "$scratch"' EXIT
on_host() { nsenter -t "$leader" -a "$@"; }
for _ in $(seq 100); do
    leader=$(pgrep -P "$nspawn" 2> /dev/null | head -n 1) || true
    [ -n "$leader" ] && on_host systemctl is-system-running --wait > /dev/null 2>&1 && break
    sleep 0.1
done

take_away() {
    on_host sh -c 'systemctl disable --now bench.service; rm -rf /etc/systemd/system/bench.service /srv/bench /var/lib/steadfast
        systemctl daemon-reload; userdel -rf bench; groupdel bench; true' > /dev/null 2>&1
}
ours=(on_host steadfast reconcile now)
theirs=(on_host /opt/ansible/bin/ansible-playbook --connection local -i localhost, /srv/playbook.yml)
a=() b=() a2=() b2=() ratios=()
for _ in $(seq "$rounds"); do
    take_away
    x=$(seconds "${ours[@]}") && a+=("$x") && a2+=("$(seconds "${ours[@]}")")
    take_away
    y=$(seconds "${theirs[@]}") && b+=("$y") && b2+=("$(seconds "${theirs[@]}")")
    ratios+=("$(awk -v x="$x" -v y="$y" 'BEGIN { printf "%.1f", y / x }')")
done
echo "rounds:                                     $rounds"
echo "reconcile now, first, 1 s settle included:  $(median "${a[@]}") s"
echo "reconcile now, nothing to do:               $(median "${a2[@]}") s"
echo "ansible-playbook, first:                    $(median "${b[@]}") s"
echo "ansible-playbook, nothing to do:            $(median "${b2[@]}") s"
echo "ratio of the first runs, median of pairs:   $(median "${ratios[@]}")"
