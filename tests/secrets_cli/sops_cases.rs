//! Command lines that the real sops and this program are both given, and how they differ on purpose.

use crate::world::{ALICE, BOB};

/// One command line, and what it is compared by.
pub(crate) struct Case {
    pub(crate) args: &'static [&'static str],
    pub(crate) stdin: &'static str,
    pub(crate) env: &'static [(&'static str, &'static str)],
    pub(crate) differs: Option<Differs>,
}

/// How this program differs, on purpose.
#[derive(Clone, Copy)]
pub(crate) enum Differs {
    /// It ends with another code; nothing else is compared.
    Code(i32),
    /// It prints something else, with the same code.
    Layout,
}

const fn case(args: &'static [&'static str]) -> Case {
    Case {
        args,
        stdin: "",
        env: &[],
        differs: None,
    }
}

impl Case {
    const fn stdin(self, stdin: &'static str) -> Self {
        Self { stdin, ..self }
    }

    const fn env(self, env: &'static [(&'static str, &'static str)]) -> Self {
        Self { env, ..self }
    }

    const fn code(self, code: i32) -> Self {
        Self {
            differs: Some(Differs::Code(code)),
            ..self
        }
    }

    const fn layout(self) -> Self {
        Self {
            differs: Some(Differs::Layout),
            ..self
        }
    }
}

const NO_KEY: &[(&str, &str)] = &[("SOPS_AGE_KEY", "")];

/// Each stands for a line of `docs/sops-compatibility.md`.
pub(crate) const CASES: &[Case] = &[
    // decrypt
    case(&["decrypt", "a.yaml"]).layout(),
    case(&["decrypt", "flat.yaml"]).layout(),
    case(&["decrypt", "--input-type", "yaml"]).stdin("a: 1\n"),
    case(&["decrypt", "missing.yaml"]),
    case(&["decrypt", "plain.yaml"]),
    case(&["decrypt", "bad.yaml"]),
    case(&["decrypt", "empty.yaml"]),
    case(&["decrypt", "mac.yaml"]),
    case(&["decrypt", "nomac.yaml"]),
    case(&["decrypt", "value.yaml"]),
    case(&["decrypt", "clear.yaml"]),
    case(&["decrypt", "a.yaml"]).env(NO_KEY),
    case(&["decrypt", "--ignore-mac", "mac.yaml"]).layout(),
    case(&["decrypt", "--extract", "[\"a\"]", "a.yaml"]),
    case(&["decrypt", "--extract", "['b'][\"l\"][1]", "a.yaml"]),
    // No line break after a number or truth value, as there is none after a string.
    case(&["decrypt", "--extract", "[\"b\"][\"c\"]", "a.yaml"]).layout(),
    case(&["decrypt", "--extract", "[\"t\"]", "a.yaml"]).layout(),
    case(&["decrypt", "--extract", "[\"b\"]", "a.yaml"]).layout(),
    case(&[
        "decrypt",
        "--extract",
        "[\"b\"]",
        "--output-type",
        "json",
        "a.yaml",
    ])
    .layout(),
    case(&["decrypt", "--output-type", "json", "a.yaml"]).layout(),
    case(&["decrypt", "--output-type", "dotenv", "flat.yaml"]),
    case(&["decrypt", "--output-type", "ini", "flat.yaml"]),
    case(&["decrypt", "--extract", "[\"zz\"]", "a.yaml"]),
    case(&["decrypt", "--extract", "[\"a\"", "a.yaml"]),
    case(&[
        "decrypt",
        "--output",
        "out.txt",
        "--extract",
        "[\"a\"]",
        "a.yaml",
    ]),
    case(&["decrypt", "--output", "/nonexistent/x", "a.yaml"]),
    case(&["decrypt", "-i", "--output", "x", "a.yaml"]),
    case(&["decrypt", "-i", "flat.yaml"]).layout(),
    case(&["decrypt", "--decryption-order", "age,age", "a.yaml"]),
    case(&[
        "decrypt",
        "--decryption-order",
        "pgp,age",
        "--extract",
        "[\"a\"]",
        "a.yaml",
    ]),
    case(&["decrypt", "--extract", "[\"a\"]", "a.yaml"])
        .env(&[("SOPS_DECRYPTION_ORDER", "age,pgp,age")]),
    // A word that is no format is refused: sops would take the file's own, and leave a selector without effect.
    case(&["decrypt", "--input-type", "foo", "a.yaml"]).code(2),
    case(&["decrypt", "--output-type", "env", "a.yaml"]).code(2),
    case(&["decrypt", "--bogus", "a.yaml"]).code(2),
    case(&["decrypt", "--output-type", "dotenv", "a.yaml"]),
    // encrypt
    case(&["encrypt", "--age", ALICE[0], "plain.yaml"]).layout(),
    case(&["encrypt", "plain.yaml"])
        .env(&[("SOPS_AGE_RECIPIENTS", ALICE[0])])
        .layout(),
    case(&["encrypt", "-i", "--age", ALICE[0], "plain.yaml"]).layout(),
    case(&[
        "encrypt",
        "--output",
        "new.yaml",
        "--age",
        ALICE[0],
        "plain.yaml",
    ])
    .layout(),
    case(&[
        "encrypt",
        "--age",
        ALICE[0],
        "--encrypted-regex",
        "^t$",
        "plain.yaml",
    ])
    .layout(),
    case(&[
        "encrypt",
        "--age",
        ALICE[0],
        "--unencrypted-suffix",
        "a",
        "plain.yaml",
    ])
    .layout(),
    case(&[
        "encrypt",
        "--age",
        ALICE[0],
        "--encrypted-suffix",
        "a",
        "--unencrypted-regex",
        "b",
        "plain.yaml",
    ]),
    case(&[
        "encrypt",
        "--age",
        ALICE[0],
        "--filename-override",
        "x.yaml",
    ])
    .stdin("a: one\n")
    .layout(),
    case(&[
        "encrypt",
        "--age",
        ALICE[0],
        "--input-type",
        "yaml",
        "--output-type",
        "json",
        "plain.yaml",
    ])
    .layout(),
    case(&["encrypt", "--age", ALICE[0]]).stdin("a: one\n"),
    case(&["encrypt", "--age", ALICE[0], "a.yaml"]),
    case(&["encrypt", "--age", ALICE[0], "bad.yaml"]),
    case(&["encrypt", "--age", ALICE[0], "empty.yaml"]),
    case(&["encrypt", "--age", ALICE[0], "missing.yaml"]),
    case(&["encrypt", "--age", "age1nonsense", "plain.yaml"]),
    case(&[
        "encrypt",
        "-i",
        "--output",
        "x",
        "--age",
        ALICE[0],
        "plain.yaml",
    ]),
    case(&["encrypt", "plain.yaml"]),
    // set, unset
    case(&["set", "a.yaml", "[\"a\"]", "\"new\""]).layout(),
    case(&["set", "a.yaml", "[\"b\"][\"l\"][0]", "\"new\""]).layout(),
    case(&["set", "a.yaml", "[\"new\"][\"map\"]", "\"new\""]).layout(),
    case(&["set", "--value-file", "a.yaml", "[\"a\"]", "value.json"]).layout(),
    case(&["set", "--value-stdin", "a.yaml", "[\"a\"]"])
        .stdin("\"from stdin\"")
        .layout(),
    case(&["set", "--idempotent", "a.yaml", "[\"a\"]", "\"one\""]),
    case(&["set", "a.yaml", "a]", "\"x\""]),
    case(&["set", "a.yaml", "[\"a\"]", "x"]),
    case(&["set", "missing.yaml", "[\"a\"]", "\"x\""]),
    case(&["set", "plain.yaml", "[\"a\"]", "\"x\""]),
    case(&["set", "mac.yaml", "[\"a\"]", "\"x\""]),
    case(&["set", "a.yaml", "[\"a\"]", "\"x\""]).env(NO_KEY),
    case(&["set", "a.yaml", "[\"b\"]", "{\"x\": true, \"y\": \"z\"}"]).layout(),
    case(&["set", "a.yaml", "[\"t\"]", "null"]).layout(),
    // sops takes a list inside of a map only.
    case(&["set", "a.yaml", "[\"a\"]", "[1, 2]"]).code(0),
    case(&["unset", "a.yaml", "[\"b\"][\"c\"]"]).layout(),
    case(&["unset", "a.yaml", "[\"zz\"]"]),
    case(&["unset", "--idempotent", "a.yaml", "[\"zz\"]"]),
    case(&["unset", "a.yaml", "zz]"]),
    // A path without brackets is one of ours: `a/b`.
    case(&["unset", "a.yaml", "zz"]).code(1),
    case(&["unset", "missing.yaml", "[\"a\"]"]),
    // edit
    case(&["edit", "a.yaml"])
        .env(&[("EDITOR", "sed -i s/one/1st/")])
        .layout(),
    case(&["edit", "a.yaml"]).env(&[("SOPS_EDITOR", "true"), ("EDITOR", "false")]),
    case(&["edit", "a.yaml"]).env(&[("EDITOR", "false")]),
    case(&["edit", "a.yaml"]).env(&[("EDITOR", "/nonexistent")]),
    case(&["edit", "a.yaml"]).env(&[("EDITOR", "'x")]),
    case(&["edit", "mac.yaml"]).env(&[("EDITOR", "true")]),
    case(&["edit", "--ignore-mac", "mac.yaml"])
        .env(&[("EDITOR", "sed -i s/one/1st/")])
        .layout(),
    case(&["edit", "plain.yaml"]).env(&[("EDITOR", "true")]),
    case(&["edit", "bad.yaml"]).env(&[("EDITOR", "true")]),
    case(&["edit", "a.yaml"]).env(&[("EDITOR", "true"), ("SOPS_AGE_KEY", "")]),
    case(&["edit", "--age", ALICE[0], "new.yaml"]).env(&[("EDITOR", "true")]),
    case(&["edit", "new.yaml"]).env(&[("EDITOR", "true")]),
    // rotate
    case(&["rotate", "a.yaml"]).layout(),
    case(&["rotate", "-i", "a.yaml"]).layout(),
    case(&["rotate", "-i", "--add-age", BOB[0], "a.yaml"]).layout(),
    case(&["rotate", "-i", "--rm-age", ALICE[0], "a.yaml"]),
    // sops says nothing when somebody is removed who is not there: a typing mistake would leave them their access.
    case(&["rotate", "-i", "--rm-age", BOB[0], "a.yaml"]).code(1),
    case(&["rotate", "missing.yaml"]),
    case(&["rotate", "--add-age", BOB[0], "missing.yaml"]),
    case(&["rotate", "plain.yaml"]),
    case(&["rotate", "mac.yaml"]),
    case(&["rotate", "a.yaml"]).env(NO_KEY),
    // filestatus
    case(&["filestatus", "a.yaml"]),
    case(&["filestatus", "plain.yaml"]),
    case(&["filestatus", "missing.yaml"]),
    case(&["filestatus", "bad.yaml"]),
    // exec-env, exec-file
    case(&["exec-env", "flat.yaml", "echo \"$A|$B|$C|$D|$E|$F|$HOME\""]),
    case(&[
        "exec-env",
        "--pristine",
        "flat.yaml",
        "echo \"$A|$B|$HOME\"",
    ]),
    case(&[
        "exec-env",
        "--same-process",
        "flat.yaml",
        "echo \"$A\"; exit 5",
    ]),
    case(&["exec-env", "flat.yaml", "exit 7"]),
    // A shell's number for a signal; sops ends with 255 whatever the signal was.
    case(&["exec-env", "flat.yaml", "kill -TERM $$"]).code(143),
    case(&["exec-env", "a.yaml", "echo ran"]),
    case(&["exec-env", "missing.yaml", "echo ran"]),
    case(&["exec-env", "flat.yaml", "echo ran"]).env(NO_KEY),
    case(&[
        "exec-env",
        "--user",
        "no-such-user",
        "flat.yaml",
        "echo ran",
    ]),
    case(&[
        "exec-file",
        "a.yaml",
        "grep -c . {}; stat -c '%a %F' $(dirname {})",
    ]),
    case(&[
        "exec-file",
        "a.yaml",
        "test -p {} && stat -c %a {} && basename {}; cat {} > /dev/null",
    ]),
    case(&[
        "exec-file",
        "--no-fifo",
        "--filename",
        "x.conf",
        "a.yaml",
        "test -f {} && stat -c %a {} && basename {}",
    ]),
    // The decrypted file never leaves its private directory; sops puts this one into the temporary directory itself.
    case(&["exec-file", "--filename", "../x", "a.yaml", "echo {}"]).code(1),
    case(&["exec-file", "a.yaml", "cat {} > /dev/null; exit 9"]),
    case(&["exec-file", "missing.yaml", "true"]),
];
