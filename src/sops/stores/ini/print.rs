//! Writing names, values and comments of INI files so that go-ini reads the same.

use zeroize::Zeroizing;

use super::parse::{DEFAULT_SECTION, parse};
use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Comment, NodeId, Position, Tree};
use crate::sops::value::Value;
use crate::sops::walk::METADATA_KEY;

/// A value as it stands behind the `=`: plain where that is read the same, else in the quotes that are.
pub(super) fn print_value(value: &Value) -> Result<Zeroizing<String>, &'static str> {
    let text = match value {
        Value::Null => return Err("an INI file has no null"),
        Value::Bool(truth) => Zeroizing::new(truth.to_string()),
        Value::Text(bytes) => Zeroizing::new(
            std::str::from_utf8(bytes)
                .map_err(|_bytes| "the value is not text, which is all that INI can hold")?
                .to_owned(),
        ),
        other => Zeroizing::new(String::from_utf8_lossy(&other.canonical()).into_owned()),
    };
    print_text(&text).ok_or("INI has no way to write this value")
}

pub(super) fn print_text(text: &str) -> Option<Zeroizing<String>> {
    let is_harmless = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./+=@:,[]".contains(&byte));
    if is_harmless || text.is_empty() {
        return Some(Zeroizing::new(text.to_owned()));
    }
    [("", ""), ("\"", "\""), ("`", "`"), ("\"\"\"", "\"\"\"")]
        .into_iter()
        .map(|(open, close)| Zeroizing::new(format!("{open}{text}{close}")))
        .find(|written| {
            let line = Zeroizing::new(format!("k = {}\nz = 1\n", written.as_str()));
            reads_as(&line, "k").is_some_and(|read| *read == text)
        })
}

/// A key's name, in quotes where it needs them.
pub(super) fn print_name(name: &str) -> Result<String, &'static str> {
    [("", ""), ("`", "`"), ("\"\"\"", "\"\"\"")]
        .into_iter()
        .map(|(open, close)| format!("{open}{name}{close}"))
        .find(|written| {
            reads_as(&format!("{written} = x\n"), name).is_some_and(|read| *read == "x")
        })
        .ok_or("INI has no way to write this name")
}

/// One line of a converted file, with its line break.
pub(in crate::sops) fn line(name: &str, value: &Value) -> Result<Zeroizing<String>, &'static str> {
    let (name, value) = (print_name(name)?, print_value(value)?);
    Ok(Zeroizing::new(format!("{name} = {}\n", value.as_str())))
}

/// A section's header with its line break; none for the part before any section.
pub(in crate::sops) fn header(name: &str) -> Result<String, &'static str> {
    let is_name = !name.is_empty() && !name.contains(['\n', '\r']);
    match name {
        METADATA_KEY => Err("`sops` is reserved for the file's own metadata"),
        DEFAULT_SECTION => Ok(String::new()),
        _ if is_name => Ok(format!("[{name}]\n")),
        _ => Err("INI has no way to write this name"),
    }
}

/// The lines of a comment in a converted file.
pub(in crate::sops) fn comment_text(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(2 * text.len() + 3));
    for line in comment_lines(text.trim_start(), "; ") {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The value of the first and only key `name` of a small text, without a comment that it might have become.
fn reads_as(text: &str, name: &str) -> Option<Zeroizing<String>> {
    let tree = parse(text).ok()?;
    let section = tree.child(0, DEFAULT_SECTION)?.value;
    let collection = tree.collection(section)?;
    if collection.children.len() != text.matches(" = ").count().min(2)
        && collection.entries().count() != collection.children.len()
    {
        return None;
    }
    let node = tree.child(section, name)?.value;
    Some(tree.scalar(node)?.text.clone())
}

pub(in crate::sops::stores) fn put_value(
    tree: &Tree,
    id: NodeId,
    value: &Value,
    edits: &mut Edits,
) -> Result<(), &'static str> {
    put_raw(tree, id, &print_value(value)?, edits);
    Ok(())
}

pub(in crate::sops::stores) fn put_raw(tree: &Tree, id: NodeId, text: &str, edits: &mut Edits) {
    edits.replace(tree.node(id).span.clone(), text);
}

/// The lines of a comment whose first begins with `first`; the others bring their sign or get one.
fn comment_lines(text: &str, first: &str) -> Vec<Zeroizing<String>> {
    let lines = text.split('\n').enumerate().map(|(number, line)| {
        Zeroizing::new(match number {
            0 => format!("{first}{line}"),
            _ if line.starts_with(['#', ';']) => line.to_owned(),
            _ => format!("; {line}"),
        })
    });
    lines.collect()
}

/// Puts `text` in the place of a comment: its sign stays, several places become one.
pub(in crate::sops::stores) fn put_comment(
    tree: &Tree,
    comment: &Comment,
    text: &str,
    edits: &mut Edits,
) {
    let raw = &tree.text[comment.span.clone()];
    let sign = if raw.starts_with(';') { ';' } else { '#' };
    let sign_end = raw.len() - raw.trim_start_matches([sign, ' ']).len();
    let first = match text.chars().next() {
        // A second sign of the same kind would be taken for a part of the first.
        Some('#') if sign == '#' => "; ",
        Some(';') if sign == ';' => "# ",
        _ => &raw[..sign_end],
    };
    let lines = comment_lines(text, first);
    let start = tree.line_start(comment.span.start);
    let line = &tree.text[start..];
    let margin = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let between = format!("{}{margin}", tree.line_break());
    let last = lines.len() - 1;
    let lines = lines.iter().enumerate().map(|(number, line)| {
        // The line break that follows brings its own.
        let brings_own = between.starts_with('\r') && number < last;
        let bare = line.strip_suffix('\r').filter(|_| brings_own);
        bare.unwrap_or(line)
    });
    let lines: Vec<&str> = lines.collect();
    let new = Zeroizing::new(lines.join(&between));
    if comment.position == Position::OwnLine || lines.len() == 1 {
        edits.replace(comment.span.clone(), &new);
    } else {
        // Behind a value there is room for one line only: it goes above the key.
        let blanks = tree.text[..comment.span.start].trim_end().len();
        edits.remove(blanks..comment.span.end);
        edits.insert(
            start,
            &format!("{margin}{}{}", new.as_str(), tree.line_break()),
        );
    }
    for rest in &comment.rest {
        edits.remove(rest.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_written_so_that_it_is_read_again() {
        for (text, expected) in [
            ("", ""),
            ("abc", "abc"),
            ("a b", "a b"),
            (
                "ENC[AES256_GCM,data:a+/=,type:str]",
                "ENC[AES256_GCM,data:a+/=,type:str]",
            ),
            (" x ", "\" x \""),
            ("'q'", "\"'q'\""),
            ("\"q\"", "`\"q\"`"),
            ("a;b", "`a;b`"),
            ("#`", "`#``"),
            ("x\ny", "`x\ny`"),
            ("x`\ny", "\"\"\"x`\ny\"\"\""),
            ("a\\", "\"a\\\""),
            ("\"a", "\"a"),
        ] {
            assert_eq!(print_text(text).unwrap().as_str(), expected, "{text:?}");
        }
        assert!(print_text("`\"\"\"\nx").is_none());
        assert_eq!(print_name("a b").unwrap(), "a b");
        assert_eq!(print_name("a=b").unwrap(), "`a=b`");
        assert!(print_name("").is_err() && print_name("a\nb").is_err() && print_name("-").is_err());
    }
}
