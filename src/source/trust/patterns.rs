//! OpenSSH's pattern lists: `git,file`, `*@example.org`, `!root@*`.

/// Whether `text` matches a pattern of the comma-separated list and no negated one.
pub(super) fn list_matches(list: &str, text: &str) -> bool {
    let mut matched = false;
    for pattern in list.split(',').map(str::trim) {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => matched |= matches(pattern.as_bytes(), text.as_bytes()),
        }
    }
    matched
}

/// `*` is any run of bytes, `?` any one; without recursion, so that no pattern is slow.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when the rest does not fit: behind the last star, one byte further in the text.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_openssh() {
        assert!(list_matches("git", "git"));
        assert!(list_matches("file,git", "git"));
        assert!(list_matches("g?t", "git"));
        assert!(list_matches("*", "git"));
        assert!(list_matches("g*t*", "git"));
        assert!(!list_matches("file", "git"));
        assert!(!list_matches("gi", "git"));
        assert!(!list_matches("gitt", "git"));
        assert!(!list_matches("", "git"));
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        assert!(!list_matches("*,!git", "git"));
        assert!(!list_matches("!g*,git", "git"));
        assert!(list_matches("*,!file", "git"));
    }
}
