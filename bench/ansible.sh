#!/usr/bin/env bash
# 100 files, a user and a unit: `reconcile now` against `ansible-playbook`, on the same booted Debian host, in turns.
#
# Between rounds everything is taken away again.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/host.sh"
count=100
rounds=${ROUNDS:-3}

make_host

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
boot_host

take_away() {
    on_host sh -c 'systemctl disable --now bench.service; rm -rf /etc/systemd/system/bench.service /srv/bench /var/lib/steadfast
        systemctl daemon-reload; userdel -rf bench; groupdel bench; true' > /dev/null 2>&1
}
ours=(on_host steadfast reconcile now)
theirs=(playbook /srv/playbook.yml)
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
