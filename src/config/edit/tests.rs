use super::*;

/// The place of `key` in `text`, as an origin says it.
fn place(text: &str, key: &str) -> (u32, u32) {
    super::super::line_and_column(&text[..text.find(key).unwrap()])
}

fn set(text: &str, entry: &str, (key, value): (&str, &str)) -> String {
    let (line, column) = place(text, entry);
    let written = WrittenEntry::at(text, line, column).unwrap();
    let changed = written.set(text, key, value);
    let again = WrittenEntry::at(&changed, line, column).unwrap();
    assert_eq!(again.get(key), Some(value), "{changed}");
    changed
}

const BLOCK: &str = "\
files:
  # The greeting.
  /etc/motd:
    text: |
      hello

      there
    mode: \"0644\" # as always
    units: { restart: [a.service] }

  /etc/other: { text: \"x\\n\" }
";

#[test]
fn a_block_text_is_replaced_and_all_else_stays() {
    let changed = set(BLOCK, "/etc/motd", ("text", "hello\n\n  you\nthere\n"));
    assert_eq!(
        changed,
        BLOCK.replace("      there\n", "        you\n      there\n")
    );
}

#[test]
fn a_value_is_replaced_or_added_in_either_form() {
    let changed = set(BLOCK, "/etc/motd", ("mode", "0600"));
    assert_eq!(changed, BLOCK.replace("\"0644\" # as", "\"0600\" # as"));
    let changed = set(BLOCK, "/etc/motd", ("owner", "games"));
    assert_eq!(
        changed,
        BLOCK.replace("    text: |", "    owner: \"games\"\n    text: |")
    );
    let changed = set(BLOCK, "/etc/other", ("mode", "0600"));
    assert_eq!(
        changed,
        BLOCK.replace("\"x\\n\" }", "\"x\\n\", mode: \"0600\" }")
    );
    let changed = set(BLOCK, "/etc/other", ("text", "a \"b\"\n\ttab\n"));
    assert_eq!(
        changed,
        BLOCK.replace("\"x\\n\"", "\"a \\\"b\\\"\\n\\ttab\\n\"")
    );
}

#[test]
fn short_forms_and_empty_entries_are_changed_too() {
    let links = "symlinks:\n  /etc/link: ../target # why\n";
    assert_eq!(
        set(links, "/etc/link", ("", "other")),
        links.replace("../target", "\"other\"")
    );
    let apart = "directories:\n  /srv/a:\n# Links,\n# two.\nsymlinks:\n  /etc/x: y\n";
    let changed = set(apart, "/srv/a", ("mode", "0700"));
    assert_eq!(
        changed,
        apart.replace("/srv/a:", "/srv/a: { mode: \"0700\" }")
    );
    let directories = "directories:\n  /srv/a:\n  /srv/b: {}\n";
    let changed = set(directories, "/srv/a", ("mode", "0700"));
    assert_eq!(
        changed,
        "directories:\n  /srv/a: { mode: \"0700\" }\n  /srv/b: {}\n"
    );
    let changed = set(directories, "/srv/b", ("mode", "0700"));
    assert_eq!(
        changed,
        "directories:\n  /srv/a:\n  /srv/b: { mode: \"0700\" }\n"
    );
}

#[test]
fn any_text_can_take_the_place_of_any_other() {
    let texts = [
        "",
        "a",
        "a\n",
        "a\nb",
        "a\n\n\n",
        " a\nb\n",
        "\n",
        "a\n b\n\nc\n",
        "a\u{7}\r\n",
        "# x: y\n",
        "ä\t\n",
    ];
    let forms = [
        "files:\n  /etc/a:\n    text: |\n      old\n\n      old\n  /etc/b: { text: b }\n",
        "files:\n  /etc/a:\n    text: >-\n      old\n      old\n    mode: 0644\n  /etc/b: { text: b }\n",
        "files:\n  /etc/a:\n    mode: 0644\n    text: \"old\\n\"\n  /etc/b: { text: b }\n",
        "files: { /etc/a: { text: 'old' }, /etc/b: { text: b } }\n",
        "files:\n  /etc/b: { text: b }\n  /etc/a:\n    text: |\n      old\n",
        "files:\n  /etc/b: { text: b }\n  /etc/a:\n    text: |\n      old",
    ];
    for form in forms {
        for text in texts {
            let changed = set(form, "/etc/a", ("text", text));
            let (line, column) = place(&changed, "/etc/b");
            let other = WrittenEntry::at(&changed, line, column).unwrap();
            assert_eq!(other.get("text"), Some("b"), "{changed}");
        }
    }
}

#[test]
fn what_is_not_there_is_no_entry() {
    assert_eq!(WrittenEntry::at(BLOCK, 1, 3), None);
    assert_eq!(WrittenEntry::at("a: [1]\n", 1, 1), None);
    assert_eq!(WrittenEntry::at("a: {", 1, 1), None);
}
