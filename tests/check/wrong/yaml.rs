//! Texts that are no YAML, or more of it than anybody wants.

use std::fmt::Write as _;

use super::wrong;

wrong! {
    a_key_that_is_there_twice: ["hosts/web/host.yml": b"packages: [vim]\ntimezone: UTC\npackages: [curl]\n"];
    indentation_that_goes_wrong: ["hosts/web/host.yml": b"files:\n    /etc/a: { text: a }\n  /etc/b: { text: b }\n"];
    indentation_that_is_missing: ["hosts/web/host.yml": b"users:\nanna:\n  uid: 1500\n"];
    a_tab: ["hosts/web/host.yml": b"files:\n\t/etc/motd: { text: hello }\n"];
    a_quote_that_is_not_closed: ["hosts/web/host.yml": b"description: \"web server\npackages: [curl]\n"];
    a_bracket_that_is_not_closed: ["hosts/web/host.yml": b"packages: [curl, vim\nhostname: web\n"];
    a_value_that_begins_with_an_expression: ["hosts/web/host.yml": b"hostname: {{ host.name }}\n"];
    a_value_that_begins_with_a_percent_sign: ["hosts/web/host.yml": b"description: %web\n"];
    a_text_with_a_colon: ["hosts/web/host.yml": b"description: server: web\n"];
    an_at_sign: ["hosts/web/host.yml": b"description: @home\n"];
    text_of_another_encoding: ["hosts/web/host.yml": b"description: Caf\xe9\npackages: [curl]\n"];
    text_in_utf_16: ["hosts/web/host.yml": b"\xff\xfed\x00r\x00i\x00f\x00t\x00:\x00"];
    a_program_in_place_of_text: ["hosts/web/host.yml": b"\x7fELF\x02\x01\x01\x00\x00\x00"];
    a_null_byte: ["hosts/web/host.yml": b"description: web\x00server\n"];
    a_second_document: ["hosts/web/host.yml": b"hostname: web\n---\nhostname: db\n"];
    a_merge_key: ["hosts/web/host.yml": b"files:\n  /etc/a: &a { text: a, mode: 0600 }\n  /etc/b:\n    <<: *a\n    text: b\n"];
    an_anchor_of_another_file: ["hosts/web/host.yml": b"modules: { m: }\npackages: *common\n", "modules/m/module.yml": b"config:\n  packages: &common [curl]\n"];
    a_tag_with_a_typo: ["hosts/web/host.yml": b"packages: !overide [curl]\n"];
    a_tag_before_a_key: ["hosts/web/host.yml": b"!override packages: [curl]\n"];
    nesting_without_end: ["hosts/web/host.yml": [b"files: ".to_vec(), b"[".repeat(10_000)].concat()];
    maps_without_end: ["hosts/web/host.yml": (0..300).flat_map(|n| format!("{}a:\n", " ".repeat(n)).into_bytes()).collect::<Vec<u8>>()];
    aliases_that_multiply: ["hosts/web/host.yml": bomb()];
    a_list_of_two_hundred_thousand: ["hosts/web/host.yml": [b"packages:\n".to_vec(), b"- a\n".repeat(200_000)].concat()];
    a_file_that_is_too_large: ["hosts/web/host.yml": [b"description: ".to_vec(), b"x".repeat(2 * 1024 * 1024)].concat()];
    a_list_in_place_of_a_host: ["hosts/web/host.yml": b"- packages\n- files\n"];
    a_key_that_is_a_list: ["hosts/web/host.yml": b"files:\n  [a, b]: text\n"];
}

/// Nine levels of nine aliases each: 387 million values.
fn bomb() -> Vec<u8> {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let alias = format!("*a{}", n - 1);
        let aliases = [alias.as_str(); 9].join(", ");
        writeln!(text, "a{n}: &a{n} [{aliases}]").unwrap();
    }
    text.into_bytes()
}
