//! Regular expressions that mean the same here and in sops (RE2). What differs is refused, or rewritten.

use regex::Regex;

/// Compiles `text` for an unanchored search, with `\d`, `\w`, `\s`, `\b` as RE2 reads them: ASCII only.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    let translated = translate(text)?;
    Regex::new(&translated).map_err(|error| {
        let reason = error.to_string();
        format!(
            "the expression `{text}` is not valid: {}",
            reason.lines().last().unwrap_or_default()
        )
    })
}

fn translate(text: &str) -> Result<String, String> {
    let differs = |what: &str| {
        Err(format!(
            "the expression `{text}` has {what}, which sops reads differently"
        ))
    };
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    // Whether the last piece was a repetition that a further sign would repeat.
    let mut repeated = false;
    while let Some(c) = chars.next() {
        let was_repeated = std::mem::take(&mut repeated);
        let at_class_start = std::mem::take(&mut class_start);
        match c {
            '\\' => match chars.next() {
                Some('Q' | 'E' | 'C' | 'B' | '<' | '>' | 'h' | 'u' | 'U') => {
                    return differs("an escape");
                }
                Some(class @ ('d' | 'w' | 's' | 'D' | 'W' | 'S')) => {
                    match ascii_class(class, in_class) {
                        Some(ascii) => out.push_str(ascii),
                        None => return differs("a negated class inside a class"),
                    }
                }
                Some('b') if in_class => return differs("`\\b` inside a class"),
                Some('b') if chars.peek() == Some(&'{') => return differs("an escape"),
                Some('b') => out.push_str("(?-u:\\b)"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if in_class => {
                if chars.peek() != Some(&':') {
                    return differs("`[` inside a class");
                }
                out.push('[');
                // `[:alpha:]`, to its own bracket.
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => {
                in_class = true;
                class_start = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
            }
            ']' if in_class && !at_class_start => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' | '-' if in_class && chars.peek() == Some(&c) => {
                return differs("a set operation inside a class");
            }
            '*' | '+' | '{' if !in_class && was_repeated => {
                return differs("a repeated repetition");
            }
            '*' | '+' | '?' if !in_class => {
                out.push(c);
                // A `?` after a repetition makes it lazy; either way nothing may follow.
                repeated = true;
            }
            '}' if !in_class => {
                out.push(c);
                repeated = true;
            }
            '(' if !in_class && chars.peek() == Some(&'?') => {
                out.push('(');
                let rest: String = chars
                    .clone()
                    .take_while(|c| !matches!(c, ':' | ')' | '<'))
                    .collect();
                if rest.contains(['x', 'u', 'R']) {
                    return differs("a flag");
                }
                out.extend(chars.next());
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

fn ascii_class(class: char, in_class: bool) -> Option<&'static str> {
    Some(match (class, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('D', false) => "[^0-9]",
        ('W', false) => "[^0-9A-Za-z_]",
        ('S', false) => "[^\\t\\n\\f\\r ]",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ascii_and_searches_are_unanchored() {
        for (expression, text, expected) in [
            ("^(data|stringData)$", "data", true),
            ("^(data|stringData)$", "metadata", false),
            ("pass", "mypassword", true),
            (r"^\w+$", "é", false),
            (r"^\d+$", "٣", false),
            (r"[\w-]+", "a-b", true),
            (r"\bkey\b", "a key", true),
            ("[]a]", "]", true),
            ("[[:alpha:]]", "x", true),
            ("(?i)PASS", "pass", true),
            ("a{2}", "aa", true),
            ("a+?", "a", true),
        ] {
            assert_eq!(
                compile(expression).unwrap().is_match(text),
                expected,
                "{expression}"
            );
        }
    }

    #[test]
    fn what_sops_reads_differently_is_refused() {
        for expression in [
            "(", "a**", "a*+", r"\Qa\E", "[a&&b]", "[a[b]]", r"[\D]", "(?x)a b", "a{2}{3}",
        ] {
            assert!(compile(expression).is_err(), "{expression}");
        }
    }
}
