//! A command as people write it in a variable, cut into words without a shell.

/// A command with a quote that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quote is not closed")]
pub struct UnclosedQuote;

/// Cuts `text` into words as a shell would: quotes and backslashes count, nothing is expanded.
///
/// # Errors
/// [`UnclosedQuote`].
pub fn split_words(text: &str) -> Result<Vec<String>, UnclosedQuote> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            blank if blank.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next().ok_or(UnclosedQuote)? {
                        '\'' => break,
                        inside => word.push(inside),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next().ok_or(UnclosedQuote)? {
                        '"' => break,
                        '\\' => match characters.next().ok_or(UnclosedQuote)? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        inside => word.push(inside),
                    }
                }
            }
            '\\' => word
                .get_or_insert_default()
                .push(characters.next().ok_or(UnclosedQuote)?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_a_shell_would() {
        for (text, expected) in [
            ("", vec![]),
            ("  vim  ", vec!["vim"]),
            ("code --wait", vec!["code", "--wait"]),
            (
                "'/opt/my editor' -x \"a \\\"b\\\" c\" d\\ e ''",
                vec!["/opt/my editor", "-x", "a \"b\" c", "d e", ""],
            ),
            ("a'b'\"c\"$HOME", vec!["abc$HOME"]),
        ] {
            assert_eq!(split_words(text).unwrap(), expected, "{text}");
        }
        for text in ["'a", "\"a", "a\\"] {
            assert_eq!(split_words(text), Err(UnclosedQuote));
        }
    }
}
