use super::*;

#[test]
fn expressions_match_as_in_sops() {
    for (pattern, text, expected) in [
        // Paths.
        (
            r"secrets/[^/]+\.(yaml|json|env|ini)$",
            "secrets/a.yaml",
            true,
        ),
        (
            r"secrets/[^/]+\.(yaml|json|env|ini)$",
            "secrets/b/a.yaml",
            false,
        ),
        (r"^secrets/", "old/secrets/a.yml", false),
        (r"a\.ya?ml", "x/a.yml.bak", true),
        (r"hosts/[^/]*/secrets\.yml", "hosts/web-1/secrets.yml", true),
        ("", "anything", true),
        // Keys.
        ("^(data|stringData)$", "data", true),
        ("^(data|stringData)$", "metadata", false),
        ("pass", "mypassword", true),
        // Classes are ASCII.
        (r"^\w+$", "é", false),
        (r"^\W$", "é", true),
        (r"^\d+$", "٣", false),
        (r"^\s$", "\u{a0}", false),
        (r"^\s$", "\u{b}", false),
        (r"\bkey\b", "a key", true),
        (r"\bé", "é", false),
        // In brackets.
        (r"^[\w.-]+$", "a-b.yml", true),
        (r"^[\D]$", "a", true),
        (r"^[\D]$", "1", false),
        (r"^[a\D]$", "é", true),
        (r"^[^\D]$", "1", true),
        ("[]a]", "]", true),
        ("[^]a]", "]", false),
        ("^[a[b]$", "[", true),
        ("^[a[b]]$", "b]", true),
        ("^[a&&b]$", "&", true),
        ("^[+--]$", ",", true),
        ("^[a~~b]$", "~", true),
        ("^[a-]$", "-", true),
        ("^[[:alpha:]]$", "x", true),
        ("^[[:alpha:]]$", "é", false),
        ("^[[:^alpha:]]$", "é", true),
        (r"^[\]\\]$", r"\", true),
        (r"^[\x41-\x{43}]$", "B", true),
        // Repetitions.
        ("^a{2}$", "aa", true),
        ("^a{2,}$", "aaa", true),
        ("a+?", "a", true),
        ("^a{x}$", "a{x}", true),
        ("^a{,2}$", "a{,2}", true),
        ("^a{02}$", "a{02}", true),
        ("^a{1000}$", "a", false),
        // Literal text and escapes.
        (r"^\Qa.b*\E$", "a.b*", true),
        (r"^\Qa.b\E$", "axb", false),
        (r"^\Qa+", "a+", true),
        (r"^\101\07$", "A\u{7}", true),
        (r"^\x41\x{1F600}$", "A😀", true),
        (r"^\-\_\ $", "-_ ", true),
        ("^a b#c$", "a b#c", true),
        ("^}]$", "}]", true),
        (r"^\<a\>$", "<a>", true),
        // Groups.
        ("(?i)PASS", "pass", true),
        ("^(?i:A)B$", "aB", true),
        ("^(?i:A)B$", "ab", false),
        ("a(?i)b|c", "C", true),
        ("(?i)^k$", "\u{212a}", true),
        ("(?s)^a.b$", "a\nb", true),
        ("^a.b$", "a\nb", false),
        ("(?m)^b$", "a\nb", true),
        ("^b$", "a\nb", false),
        ("^a$", "a\n", false),
        ("^(?P<one>a)(?<two>b)$", "ab", true),
        ("^(|a)$", "", true),
        ("^(?P<a>b)(?P<a>c)$", "bc", true),
        ("(?i-i)A|(?ii)b", "B", true),
        ("(?i-i)A", "a", false),
    ] {
        let compiled = Pattern::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(compiled.is_match(text), expected, "{pattern} on {text:?}");
    }
}

#[test]
fn what_sops_would_read_differently_is_refused_by_name() {
    for (pattern, part) in [
        (r"\pL", r"\p"),
        (r"\PL", r"\P"),
        (r"[\pL]", r"\p"),
        (r"a\Bb", r"\B"),
        (r"a\Q\E*", r"\Q\E"),
        (r"(?i)*", "(?i)"),
        (r"\x{D800}", r"\x{D800}"),
    ] {
        match Pattern::new(pattern) {
            Err(PatternError::Differs { part: found, .. }) => assert_eq!(found, part, "{pattern}"),
            other => panic!("{pattern}: {other:?}"),
        }
    }
}

#[test]
fn what_sops_refuses_is_refused() {
    for pattern in [
        "(",
        "a)",
        "[a",
        "[]",
        "*a",
        "(*)",
        "a|*",
        "a**",
        "a*+",
        "a*?*",
        "a{2}{3}",
        "a{2}*",
        "a{1001}",
        "a{3,2}",
        "(a{100}){11}",
        r"\",
        r"a\1",
        r"\8",
        r"\q",
        r"\C",
        r"\Z",
        r"é\é",
        r"\u0041",
        r"\x4",
        r"\x{}",
        r"\x{110000}",
        r"\x{4g}",
        "[b-a]",
        r"[a-\d]",
        r"[\b]",
        "[[:foo:]]",
        "(?x)a",
        "(?u)a",
        "(?R)a",
        "(?-)a",
        "(?i-)a",
        "(?=a)",
        "(?<!a)",
        "(?P<>a)",
        "(?P<é>a)",
        "(?P=a)",
        "(?",
    ] {
        match Pattern::new(pattern) {
            Err(error @ PatternError::Invalid { .. }) => assert!(!error.fix().is_empty()),
            other => panic!("{pattern}: {other:?}"),
        }
    }
}

#[test]
fn hostile_expressions_end_in_an_error_soon() {
    for pattern in [
        "(".repeat(100_000),
        "(a|".repeat(300),
        "(\\w{1000}\\W{1000}){1}".repeat(500),
    ] {
        assert!(Pattern::new(&pattern).is_err());
    }
}
