//! Keys, their values, and names.

use super::wrong;

wrong! {
    a_key_with_a_typo: ["hosts/web/host.yml": b"description: web server\npakages: [curl]\n"];
    a_key_in_capitals: ["hosts/web/host.yml": b"Packages: [curl]\n"];
    a_key_of_an_entry_with_a_typo: ["hosts/web/host.yml": b"files:\n  /etc/motd:\n    txt: hello\n"];
    a_key_that_is_quite_unknown: ["hosts/web/host.yml": b"firmware: latest\n"];
    a_key_that_is_for_later: ["hosts/web/host.yml": b"backend: nixos\n"];
    one_value_where_a_list_is_wanted: ["hosts/web/host.yml": b"packages: curl\n"];
    a_list_where_a_map_is_wanted: ["hosts/web/host.yml": b"files:\n  - /etc/motd\n"];
    a_word_for_yes: ["hosts/web/host.yml": b"units:\n  nginx.service: { enable: yes }\n"];
    a_boolean_where_text_is_wanted: ["hosts/web/host.yml": b"description: true\n"];
    a_map_without_its_colon: ["hosts/web/host.yml": b"users:\n  anna:\n    uid 1500\n"];
    a_person_with_a_map_in_a_list: ["hosts/web/host.yml": b"users:\n  - anna: { uid: 1500 }\n"];
    a_package_with_a_capital: ["hosts/web/host.yml": b"packages: [Nginx]\n"];
    a_unit_without_its_type: ["hosts/web/host.yml": b"units:\n  nginx: { start: true }\n"];
    a_setting_of_the_kernel_that_is_none: ["hosts/web/host.yml": b"sysctls:\n  net/ipv4 forward: 1\n"];
    a_duration_without_a_unit: ["hosts/web/host.yml": b"health:\n  - { tcp: \"localhost:80\", within: 30 }\n"];
    a_check_that_asks_two_things: ["hosts/web/host.yml": b"health:\n  - { unit: nginx.service, tcp: \"localhost:80\" }\n"];
    a_drift_policy_with_a_typo: ["hosts/web/host.yml": b"drift: enforced\n"];
    a_variable_of_the_fleet_with_an_expression: ["hosts/web/host.yml": b"{}\n", "fleet.yml": b"variables:\n  name: \"{{ host.name }}\"\n"];
}
