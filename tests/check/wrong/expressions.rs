//! Expressions, loops, files that are filled in.

use super::wrong;

wrong! {
    a_variable_that_is_not_defined: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"I am {{ hostname }}\\n\" }\n"];
    a_variable_with_a_typo: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"I am {{ host.nmae }}\\n\" }\n"];
    a_variable_of_the_fleet_that_is_not_there: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"{{ fleet.domian }}\\n\" }\n", "fleet.yml": b"variables: { domain: example.org }\n"];
    the_options_of_a_module_in_a_host: ["hosts/web/host.yml": b"modules: { a: }\nfiles:\n  /etc/motd: { text: \"{{ cfg.level }}\\n\" }\n", "modules/a/module.yml": b"options: { level: { type: integer, default: 1 } }\n"];
    braces_that_are_not_closed: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"I am {{ host.name\\n\" }\n"];
    a_condition_that_is_not_ended: ["hosts/web/host.yml": b"files:\n  /etc/motd:\n    text: |\n      {% if host.name == \"web\" %}\n      hello\n"];
    braces_of_another_language: ["hosts/web/host.yml": b"files:\n  /etc/app.tmpl: { text: \"{{ .Names }}\\n\" }\n"];
    a_filter_with_a_typo: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"{{ host.name|uper }}\\n\" }\n"];
    a_function_that_is_not_there: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"built at {{ now() }}\\n\" }\n"];
    an_environment_that_is_not_there: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"{{ env('HOME') }} {{ lookup('file', '/etc/shadow') }}\\n\" }\n"];
    another_template_that_is_included: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"{% include '/etc/shadow' %}\\n\" }\n"];
    nothing_in_a_text: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"{{ host.platform.os }}\\n\" }\n"];
    a_list_in_a_text: ["hosts/web/host.yml": b"users: [anna]\nfiles:\n  /etc/motd: { text: \"{{ host.users }} are here\\n\" }\n", "users/anna.yml": b"shell: /usr/sbin/nologin\n"];
    a_loop_over_a_text: ["hosts/web/host.yml": b"packages:\n  - { for: x in host.name, value: \"{{ x }}\" }\n"];
    a_loop_that_says_of: ["hosts/web/host.yml": b"packages:\n  - { for: x of host.users, value: \"{{ x }}\" }\n"];
    a_loop_over_a_million: ["hosts/web/host.yml": b"packages:\n  - { for: x in range(1000000), value: \"p{{ x }}\" }\n"];
    loops_in_loops_without_end: ["hosts/web/host.yml": b"files:\n  /etc/motd:\n    text: \"{% for a in range(9000) %}{% for b in range(9000) %}x{% endfor %}{% endfor %}\"\n"];
    a_text_that_grows_without_end: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"{{ 'x' * 99999999 }}\" }\n"];
    a_loop_that_makes_one_file_twice: ["hosts/web/host.yml": b"files:\n  /etc/motd: { for: \"n in [1, 2]\", text: \"{{ n }}\" }\n"];
    a_condition_that_is_a_text: ["hosts/web/host.yml": b"packages:\n  - { when: host.name, value: curl }\n"];
    two_expressions_where_a_list_is_wanted: ["hosts/web/host.yml": b"modules: { a: }\n", "modules/a/module.yml": b"options: { more: { type: array, default: [vim] } }\nconfig:\n  packages: \"{{ cfg.more }} curl\"\n"];
    a_file_with_a_mistake_in_it: ["hosts/web/host.yml": b"files:\n  /etc/app.conf: { file: app.conf, template: true }\n", "hosts/web/app.conf": b"name = {{ host.name }}\nzone = {{ host.zone }}\n"];
    a_text_that_is_said_to_be_a_template: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: \"{{ host.name }}\", template: true }\n"];
    a_secret_where_none_is_put_in: ["hosts/web/host.yml": b"files:\n  /etc/app.conf: { text: \"password={{ secret('db') }}\\n\" }\n"];
}
