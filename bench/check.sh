#!/usr/bin/env bash
# 200 hosts of 30 modules: every host resolved and built by `check`; and one of them by `plan`.
# Targets: all in under 2 s, one in under 50 ms. Needs hyperfine.
. "$(dirname "$0")/lib.sh"

hosts=${HOSTS:-200}
modules=${MODULES:-30}
repo=$scratch/fleet

# fleet_of_modules DIR: HOSTS hosts that have each of MODULES modules on, with options of their own.
fleet_of_modules() {
    local dir=$1 h m
    mkdir -p "$dir"
    echo 'variables: { domain: example.org }' > "$dir/fleet.yml"
    for ((m = 0; m < modules; m++)); do
        mkdir -p "$dir/modules/m$m"
        printf 'name={{ cfg.name }}\n{%% for port in cfg.ports %%}\nport={{ port }}\n{%% endfor %%}\n' \
            > "$dir/modules/m$m/app.conf"
        cat > "$dir/modules/m$m/module.yml" << MODULE
description: module $m
options:
  name: { type: string, pattern: "^[a-z0-9-]+$" }
  ports: { type: array, items: { type: integer, minimum: 0, maximum: 65535 }, default: [80] }
  owner: { type: string, default: root }
  at: { type: string, format: systemd-calendar, default: "02:00" }
  extra: { type: boolean, default: false }
assertions:
  - { that: cfg.ports|length > 0, message: no ports }
config:
  packages: [curl, "package-$m"]
  directories:
    "/srv/m$m/{{ cfg.name }}": { owner: "{{ cfg.owner }}", mode: 0750 }
  files:
    /etc/m$m/app.conf: { file: app.conf, template: true, units: { restart: [m$m.service] } }
    /etc/m$m/host: { text: "{{ host.name }}.{{ fleet.domain }}\n" }
    "/etc/m$m/{{ port }}.conf": { for: port in cfg.ports, text: "listen {{ port }}\n" }
    /etc/m$m/extra: { when: cfg.extra, text: extra }
  units:
    m$m.service:
      text: "[Service]\nExecStart=/bin/true --name={{ cfg.name }}\n[Install]\nWantedBy=multi-user.target\n"
      enable: true
      start: true
    m$m.timer: { text: "[Timer]\nOnCalendar={{ cfg.at }}\n[Install]\nWantedBy=timers.target\n", enable: true }
  health:
    - { unit: m$m.service }
MODULE
    done
    for ((h = 0; h < hosts; h++)); do
        mkdir -p "$dir/hosts/h$h"
        {
            echo "description: host $h"
            echo "modules:"
            for ((m = 0; m < modules; m++)); do
                echo "  m$m: { name: \"app-$h\", ports: [$h, $((m + 1000))] }"
            done
        } > "$dir/hosts/h$h/host.yml"
    done
}

fleet_of_modules "$repo"
"$steadfast" check "$repo" ${CHECK_ARGS:-} | tail -1

# milliseconds NAME: the median that hyperfine exported to NAME.csv.
milliseconds() { awk -F, 'NR == 2 { printf "%.0f", $4 * 1000 }' "$scratch/$1.csv"; }

hyperfine -N --warmup 1 --runs "${RUNS:-10}" --export-csv "$scratch/all.csv" \
    "$steadfast check $repo ${CHECK_ARGS:-}" > /dev/null 2>&1
hyperfine -N --warmup 2 --runs "${RUNS:-25}" --export-csv "$scratch/one.csv" \
    "$steadfast check $repo --host h7 ${CHECK_ARGS:-}" > /dev/null 2>&1

printf '\n| | target | measured |\n| --- | --- | --- |\n'
printf '| check %s hosts of %s modules | 2000 ms | %s ms |\n' "$hosts" "$modules" "$(milliseconds all)"
printf '| resolve and build one of them | 50 ms | %s ms |\n' "$(milliseconds one)"
printf '| peak memory of the first | | %s MiB |\n' "$(peak_mib "$steadfast" check "$repo")"
