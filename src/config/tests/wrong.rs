//! Wrong repositories, and what is said about them.

use super::support::said;

/// One snapshot per wrong repository.
macro_rules! wrong {
    ($($name:ident: [$($path:literal: $text:expr),* $(,)?];)*) => {
        $(#[test]
        fn $name() {
            let files: &[(&str, &str)] = &[$(($path, $text)),*];
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(said(files));
            });
        })*
    };
}

const BASE: &str = "options:\n  timezone: { type: string }\n  level: { type: integer, default: 1, minimum: 1, maximum: 9 }\n  at: { type: array, items: { type: string, format: systemd-calendar }, default: [] }\n  kind: { enum: [small, large], default: small }\n  disk: { type: object, properties: { path: { type: string, format: path }, size: { type: integer } }, required: [path], default: null }\nconfig:\n  timezone: \"{{ cfg.timezone }}\"\n";

wrong! {
    a_module_that_is_not_there: ["hosts/web/host.yml": "modules: { bse: {} }\nprofiles: [sever, Server]\n", "modules/base/module.yml": BASE, "modules/server/module.yml": "{}\n"];
    modules_as_a_list: ["hosts/web/host.yml": "modules: [base]\n", "modules/base/module.yml": BASE];
    an_option_that_is_not_there: ["hosts/web/host.yml": "modules:\n  base: { timezone: UTC, levl: 3, colour: red }\n", "modules/base/module.yml": BASE];
    an_option_that_must_be_set: ["hosts/web/host.yml": "modules:\n  base:\n", "modules/base/module.yml": BASE];
    values_that_do_not_fit_their_option: ["hosts/web/host.yml": "modules:\n  base:\n    timezone: [UTC]\n    level: 12\n    at: [daily, 25:00, noon]\n    kind: lage\n    disk: { size: big, pth: /x }\n", "modules/base/module.yml": BASE];
    options_that_say_nothing_sensible: ["hosts/web/host.yml": "modules: { a: }\n", "modules/a/module.yml": "options:\n  a: {}\n  b: { type: text }\n  c: { type: string, minimum: 3 }\n  d: { type: integer, default: many }\n  e-f: { type: string }\n  when: { type: string }\n  enable: { type: boolean }\n  g: { type: string, pattern: '(' }\n  h: { type: string, formt: path }\n"];
    two_values_at_one_rank: ["hosts/web/host.yml": "modules: { a: , b: }\n", "modules/a/module.yml": "config:\n  timezone: UTC\n", "modules/b/module.yml": "config:\n  timezone: Europe/Berlin\n"];
    two_profiles_that_disagree: ["hosts/web/host.yml": "profiles: [p, q]\n", "modules/p/module.yml": "modules: { base: { timezone: UTC } }\n", "modules/q/module.yml": "modules: { base: { timezone: Asia/Tokyo } }\n", "modules/base/module.yml": BASE];
    a_list_and_a_map: ["hosts/web/host.yml": "modules: { a: }\nsymlinks: { /etc/l: /srv }\n", "modules/a/module.yml": "config:\n  symlinks: { /etc/l: { target: /opt } }\n"];
    names_that_are_not_defined: ["hosts/web/host.yml": "modules: { a: { list: [{ x: 1 }] } }\nfiles:\n  /etc/a: { text: '{{ hst.name }}' }\n  /etc/b: { text: '{{ host.nme }} {{ fleet.domian }}' }\n  /etc/c: { text: '{{ cfg.x }}' }\n  /etc/d: { text: '{{ options.a.lst }} {{ options.b.x }} {{ options }}' }\n", "fleet.yml": "variables: { domain: example.org }\n", "modules/a/module.yml": "options: { list: { type: array } }\nconfig:\n  files:\n    /etc/e: { text: '{{ cfg.lits }}' }\n    \"/etc/{{ one.y }}\": { for: one in cfg.list, text: x }\n    /etc/f:\n      text: |\n        first\n        second {{ cfg.list[0].z }}\n"];
    expressions_that_are_none: ["hosts/web/host.yml": "files:\n  /etc/a: { text: '{{ .Names }}' }\n  /etc/b: { text: '{{ host.name' }\n  /etc/c: { text: '{% if x %}' }\n  /etc/d: { text: '{{ host.name|uper }} {{ host.platform }}' }\n  /etc/e: { text: '{{ now() }}' }\n  /etc/f: { text: '{{ host.platform.os }}!' }\n  /etc/g: { text: '{{ host.users }}!' }\n"];
    loops_and_conditions_that_are_none: ["hosts/web/host.yml": "packages:\n  - { for: x of host.users, value: a }\n  - { for: x in host.name, value: b }\n  - { for: x in host.platform, value: c }\n  - { when: host.name, value: d }\n  - { when: [x], value: e }\n  - { when: a b, value: f }\n  - { when: true, value: g, more: h }\nfiles:\n  /etc/x: { for: 'n in [1, 2]', text: a }\n"];
    a_loop_over_a_million_things: ["hosts/web/host.yml": "packages:\n  - { for: x in range(1000000), value: 'p{{ x }}' }\n  - { for: x in range(99999), value: 'p{{ x }}' }\n"];
    loops_in_loops: ["hosts/web/host.yml": "files:\n  '/a/{{ a }}':\n    for: a in range(9000)\n    units:\n      restart:\n        - { for: b in range(9000), value: 'u{{ b }}.service' }\n    text: x\n"];
    a_text_that_grows_without_bound: ["hosts/web/host.yml": "files:\n  /etc/a: { text: '{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}' }\n  /etc/b: { text: \"{{ 'x' * 99999999 }}\" }\n"];
    options_that_go_in_a_circle: ["hosts/web/host.yml": "modules: { a: , b: }\n", "modules/a/module.yml": "options:\n  x: { type: string, default: '{{ options.b.y }}' }\n", "modules/b/module.yml": "options:\n  y: { type: string, default: '{{ cfg.z }}' }\n  z: { type: string, default: '{{ options.a.x }}' }\n"];
    modules_that_need_each_other: ["hosts/web/host.yml": "modules: { a: }\n", "modules/a/module.yml": "imports: [b]\n", "modules/b/module.yml": "imports: [c]\n", "modules/c/module.yml": "imports: [a]\n"];
    a_module_that_is_on_only_if_it_is_on: ["hosts/web/host.yml": "modules: { a: { enable: '{{ options.b.x }}' } }\n", "modules/a/module.yml": "modules: { b: { x: true } }\n", "modules/b/module.yml": "options: { x: { type: boolean, default: false } }\n"];
    a_needed_module_that_is_off: ["hosts/web/host.yml": "modules:\n  a:\n  b: { enable: false }\n", "modules/a/module.yml": "imports: [b]\n", "modules/b/module.yml": "{}\n"];
    an_assertion_that_does_not_hold: ["hosts/web/host.yml": "modules:\n  a: { low: 9, high: 3 }\n", "modules/a/module.yml": "options: { low: { type: integer }, high: { type: integer } }\nassertions:\n  - that: cfg.low <= cfg.high\n    message: \"low ({{ cfg.low }}) is above high ({{ cfg.high }})\"\n"];
    keys_of_a_module: ["hosts/web/host.yml": "modules: { a: }\n", "modules/a/module.yml": "descripton: x\noption: {}\nconfig:\n  pakages: [curl]\n  platform: { os: debian }\n  files:\n    /etc/a: { txt: a }\n"];
    yaml_of_a_module: ["hosts/web/host.yml": "modules: { a: }\n", "modules/a/module.yml": "config:\n  packages: [curl\n"];
    people_that_are_not_there: ["hosts/web/host.yml": "users: [ketna, Anna]\n", "users/ketan.yml": "uid: 1500\n"];
    a_person_with_a_mistake: ["hosts/web/host.yml": "users: [ketan]\n", "users/ketan.yml": "uid: x\nshel: /bin/sh\nhome: '{{ options.a.x }}'\nconfig: { file: {} }\n"];
    the_fleet_file: ["hosts/web/host.yml": "{}\n", "fleet.yml": "variables: { a: '{{ host.name }}' }\nwaves: []\nvariable: {}\n"];
    a_file_that_is_filled_in_and_wrong: ["hosts/web/host.yml": "modules: { a: }\n", "modules/a/module.yml": "options: { name: { type: string, default: x } }\nconfig:\n  files:\n    /etc/a: { file: a.conf, template: true }\n    /etc/b: { file: b.conf, template: true }\n    /etc/c: { text: c, template: true }\n    /etc/d: { file: c.conf }\n", "modules/a/a.conf": "one\ntwo {{ cfg.nam }}\n", "modules/b.conf": ""];
    templates_with_more_than_secrets: ["hosts/web/host.yml": "templates:\n  a: { text: '{{ secrets(\"x\") }}' }\n  b: { text: '{{ secret(x) }}' }\n  c: { text: '{{ host.nam }} {{ secret(\"../x\") }}' }\n"];
    tags_that_mean_nothing: ["hosts/web/host.yml": "packages: !overide [curl]\n"];
    files_named_after_nothing_that_can_be: ["hosts/web/host.yml": "{}\n", "modules/Base/module.yml": "{}\n", "users/Anna.yml": "{}\n"];
    homes_that_cannot_be: ["hosts/web/host.yml": "users: { ketan: , daemon: { system: true } }\nfiles: { /home/ketan/.a: { text: a } }\nsecrets: { a: { on_conflict: backup } }\nhome:\n  ketna: {}\n  daemon: { git: { user: { name: x } } }\n  ketan:\n    files:\n      /home/ketan/.x: { text: x }\n      ~/.y: { text: y }\n      /etc/z: { text: z }\n      ../etc/z: { text: z }\n      .a: { text: a }\n    dirctories: {}\n    git: { 'remote \"origin\"': { url: x }, user: { first_name: x, name: }, core: plain }\n    session_variables: { HOME: /x, 1A: x, B-C: x, D: true, E: '' }\n"];
    a_chain_of_options_without_end: ["hosts/web/host.yml": "modules: { a: }\n", "modules/a/module.yml": &chain()];
}

fn chain() -> String {
    let option = |n: usize| {
        format!(
            "  o{n}: {{ type: string, default: \"{{{{ cfg.o{} }}}}\" }}\n",
            n + 1
        )
    };
    let options = (0..99).map(option).collect::<Vec<_>>().concat();
    format!(
        "options:\n  o99: {{ type: string, default: x }}\n{options}config: {{ hostname: \"{{{{ cfg.o0 }}}}\" }}\n"
    )
}
