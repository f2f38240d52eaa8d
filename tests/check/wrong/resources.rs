//! Files, units, accounts of a host.

use super::wrong;

wrong! {
    text_and_file_both: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: hello, file: motd }\n", "hosts/web/motd": b"hello\n"];
    neither_text_nor_file: ["hosts/web/host.yml": b"files:\n  /etc/motd: { mode: 0644 }\n"];
    a_mode_in_letters: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: hello, mode: rw-r--r-- }\n"];
    a_mode_that_is_not_octal: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: hello, mode: 0888 }\n"];
    a_path_that_does_not_begin_at_the_root: ["hosts/web/host.yml": b"files:\n  etc/motd: { text: hello }\n"];
    a_path_in_two_spellings: ["hosts/web/host.yml": b"files:\n  /etc/motd: { text: a }\n  /etc//motd: { text: b }\n"];
    a_path_that_two_entries_make: ["hosts/web/host.yml": b"hostname: web\nfiles:\n  /etc/hostname: { text: web }\n"];
    a_path_below_a_file: ["hosts/web/host.yml": b"files:\n  /etc/app: { text: a }\n  /etc/app/conf: { text: b }\n"];
    a_path_that_belongs_to_users: ["hosts/web/host.yml": b"files:\n  /etc/shadow: { text: \"root::0:0:99999:7:::\" }\n"];
    a_unit_file_among_the_files: ["hosts/web/host.yml": b"files:\n  /etc/systemd/system/app.service: { text: \"[Service]\" }\n"];
    a_unit_without_an_install_section: ["hosts/web/host.yml": b"units:\n  app.service:\n    text: |\n      [Service]\n      ExecStart=/usr/bin/app\n    enable: true\n"];
    a_unit_that_says_nothing: ["hosts/web/host.yml": b"units:\n  nginx.service:\n"];
    a_unit_file_that_is_none: ["hosts/web/host.yml": b"units:\n  app.service: { file: app.service }\n", "hosts/web/app.service": b"Description=App\n[Service]\nExecStart=/usr/bin/app\n"];
    a_template_unit_that_is_started: ["hosts/web/host.yml": b"units:\n  work@.service: { text: \"[Service]\", start: true }\n"];
    two_accounts_with_one_uid: ["hosts/web/host.yml": b"users:\n  anna: { uid: 1500, shell: /usr/sbin/nologin }\n  bert: { uid: 1500, shell: /usr/sbin/nologin }\n"];
    a_password_in_clear: ["hosts/web/host.yml": b"users:\n  anna: { password_hash: hunter2 }\n"];
    a_key_that_is_no_key: ["hosts/web/host.yml": b"users:\n  anna: { ssh_keys: [anna@laptop] }\n"];
    an_account_that_nobody_can_use: ["hosts/web/host.yml": b"users:\n  anna: { uid: 1500 }\n"];
    an_owner_with_a_typo: ["hosts/web/host.yml": b"users:\n  deploy: { system: true }\nfiles:\n  /etc/app.conf: { text: a, owner: deplyo }\n"];
    a_person_that_is_not_there: ["hosts/web/host.yml": b"users: [ketna]\n", "users/ketan.yml": b"uid: 1500\nshell: /usr/sbin/nologin\n"];
    a_time_zone_that_is_none: ["hosts/web/host.yml": b"timezone: ../Berlin\n"];
    apt_on_a_host_without_it: ["hosts/web/host.yml": b"platform: { os: fedora }\napt:\n  pins: [{ packages: [curl], priority: 900, version: \"8.*\" }]\n"];
}
