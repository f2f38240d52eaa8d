//! Edits of a text as a set of replaced spans.

use std::ops::Range;

use zeroize::Zeroizing;

/// Replacements that are made all at once. May hold secrets: no `Debug`.
#[derive(Default)]
pub(in crate::sops) struct Edits(Vec<(Range<usize>, Zeroizing<String>)>);

/// Two edits want the same place: the layout is one that was not foreseen.
#[derive(Debug)]
pub(in crate::sops) struct Overlap;

impl Edits {
    pub(in crate::sops) fn replace(&mut self, span: Range<usize>, text: &str) {
        self.0.push((span, Zeroizing::new(text.to_owned())));
    }

    pub(in crate::sops) fn insert(&mut self, at: usize, text: &str) {
        self.replace(at..at, text);
    }

    pub(in crate::sops) fn remove(&mut self, span: Range<usize>) {
        self.replace(span, "");
    }

    pub(in crate::sops) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with all edits made.
    pub(in crate::sops) fn apply(mut self, text: &str) -> Result<Zeroizing<String>, Overlap> {
        self.0.sort_by_key(|(span, _)| (span.start, span.end));
        let new: usize = self.0.iter().map(|(_, new)| new.len()).sum();
        let old: usize = self.0.iter().map(|(span, _)| span.len()).sum();
        // All at once: a buffer that grows leaves copies of secrets behind. No larger: all of it is wiped.
        let length = (text.len() + new).saturating_sub(old);
        let mut result = Zeroizing::new(String::with_capacity(length));
        let mut done = 0;
        for (span, new) in &self.0 {
            if span.start < done {
                return Err(Overlap);
            }
            result.push_str(text.get(done..span.start).ok_or(Overlap)?);
            result.push_str(new);
            done = span.end;
        }
        result.push_str(text.get(done..).ok_or(Overlap)?);
        Ok(result)
    }
}
