//! Modules, options, merging.

use super::wrong;

const BASE: &[u8] = b"description: what every host has\noptions:\n  timezone: { type: string }\n  level: { type: integer, default: 1, minimum: 1, maximum: 9 }\n  at: { type: array, items: { type: string, format: systemd-calendar }, default: [] }\n  size: { enum: [small, large], default: small }\n  name: { type: string, pattern: \"^[a-z]+$\", default: app }\n  every: { type: string, format: duration, default: 5m }\nconfig:\n  timezone: \"{{ cfg.timezone }}\"\n  files:\n    /etc/base: { text: \"{{ cfg.level }} {{ cfg.at|length }} {{ cfg.size }} {{ cfg.name }} {{ cfg.every }}\" }\n";

wrong! {
    a_module_that_is_not_there: ["hosts/web/host.yml": b"modules:\n  bsae: { timezone: UTC }\n", "modules/base/module.yml": BASE];
    a_profile_that_is_not_there: ["hosts/web/host.yml": b"profiles: [desktop]\n"];
    modules_in_a_list: ["hosts/web/host.yml": b"modules: [base]\n", "modules/base/module.yml": BASE];
    an_option_that_is_not_there: ["hosts/web/host.yml": b"modules:\n  base:\n    timezone: UTC\n    levle: 3\n", "modules/base/module.yml": BASE];
    an_option_that_must_be_set: ["hosts/web/host.yml": b"modules:\n  base:\n", "modules/base/module.yml": BASE];
    an_option_that_is_too_large: ["hosts/web/host.yml": b"modules:\n  base: { timezone: UTC, level: 12 }\n", "modules/base/module.yml": BASE];
    an_option_that_is_none_of_the_choices: ["hosts/web/host.yml": b"modules:\n  base: { timezone: UTC, size: medium }\n", "modules/base/module.yml": BASE];
    an_option_that_does_not_match_its_pattern: ["hosts/web/host.yml": b"modules:\n  base: { timezone: UTC, name: App 1 }\n", "modules/base/module.yml": BASE];
    a_time_that_systemd_does_not_know: ["hosts/web/host.yml": b"modules:\n  base: { timezone: UTC, at: [\"25:00\"] }\n", "modules/base/module.yml": BASE];
    an_option_without_the_unit_of_its_duration: ["hosts/web/host.yml": b"modules:\n  base: { timezone: UTC, every: 90 }\n", "modules/base/module.yml": BASE];
    two_modules_that_disagree: ["hosts/web/host.yml": b"modules: { a: , b: }\n", "modules/a/module.yml": b"config:\n  timezone: UTC\n", "modules/b/module.yml": b"config:\n  timezone: Europe/Berlin\n"];
    a_list_in_one_file_and_a_map_in_another: ["hosts/web/host.yml": b"modules: { a: }\nsymlinks: { /etc/l: /srv }\n", "modules/a/module.yml": b"config:\n  symlinks: { /etc/l: { target: /opt } }\n"];
    modules_that_need_each_other: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"imports: [b]\n", "modules/b/module.yml": b"imports: [a]\n"];
    options_that_depend_on_each_other: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"options:\n  x: { type: string, default: \"{{ cfg.y }}\" }\n  y: { type: string, default: \"{{ cfg.x }}\" }\n"];
    a_needed_module_that_is_off: ["hosts/web/host.yml": b"modules:\n  a:\n  b: { enable: false }\n", "modules/a/module.yml": b"imports: [b]\n", "modules/b/module.yml": b"{}\n"];
    an_assertion_that_does_not_hold: ["hosts/web/host.yml": b"modules:\n  a: { low: 9, high: 3 }\n", "modules/a/module.yml": b"options:\n  low: { type: integer }\n  high: { type: integer }\nassertions:\n  - that: cfg.low <= cfg.high\n    message: \"low ({{ cfg.low }}) is above high ({{ cfg.high }})\"\n"];
    a_default_that_does_not_fit: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"options:\n  count: { type: integer, default: many }\nconfig:\n  description: \"{{ cfg.count }}\"\n"];
    an_option_of_a_type_that_is_none: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"options:\n  name: { type: text, default: x }\n"];
    a_pattern_that_is_none: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"options:\n  name: { type: string, pattern: \"[a-z\", default: x }\n"];
    a_host_key_in_a_module: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"config:\n  platform: { os: debian }\n"];
    resources_beside_config: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"description: tools\npackages: [curl]\n"];
    an_option_that_nobody_reads: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"options:\n  level: { type: integer, default: 1 }\nconfig:\n  packages: [curl]\n"];
    a_module_that_is_on_nowhere: ["hosts/web/host.yml": b"{}\n", "modules/a/module.yml": b"config:\n  packages: [curl]\n"];
    a_wrong_module_that_many_hosts_have: ["hosts/db/host.yml": b"modules: { a: }\n", "hosts/mail/host.yml": b"modules: { a: }\n", "hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"config:\n  pakages: [curl]\n"];
}
