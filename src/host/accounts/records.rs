//! The lines of passwd(5), group(5) and shadow(5): fields between colons. Lines that are not understood are kept.

/// One file of accounts.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    lines: Vec<String>,
}

impl Table {
    pub(super) fn parse(text: &str) -> Self {
        Self {
            lines: text.lines().map(str::to_owned).collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    /// The records with at least `count` fields, in file order. NIS lines (`+…`, `-…`) and comments are none.
    pub(super) fn records(&self, count: usize) -> impl Iterator<Item = Vec<&str>> {
        self.lines
            .iter()
            .filter(|line| !line.starts_with(['+', '-', '#']))
            .map(|line| line.split(':').collect::<Vec<_>>())
            .filter(move |fields| fields.len() >= count && !fields[0].is_empty())
    }

    /// Adds a record, before the NIS lines that may end the file.
    pub(super) fn add(&mut self, fields: &[&str]) {
        let end = self
            .lines
            .iter()
            .position(|line| line.starts_with('+'))
            .unwrap_or(self.lines.len());
        self.lines.insert(end, fields.join(":"));
    }

    /// Adds the record of an account that is new: one that a killed process, or an account of that name long ago, left in
    /// this file is replaced.
    pub(super) fn put(&mut self, fields: &[&str]) {
        let mut placed = false;
        if let Some(name) = fields.first() {
            placed = self.change(name, |found| {
                *found = fields.iter().map(|field| (*field).to_owned()).collect();
            });
        }
        if !placed {
            self.add(fields);
        }
    }

    /// Changes the record of `name`; `false` if there is none.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Vec<String>)) -> bool {
        let prefix = format!("{name}:");
        let Some(line) = self.lines.iter_mut().find(|line| line.starts_with(&prefix)) else {
            return false;
        };
        let mut fields: Vec<String> = line.split(':').map(str::to_owned).collect();
        change(&mut fields);
        *line = fields.join(":");
        true
    }
}

/// The hash in a shadow password field, whether it is locked or not; `None` if the field holds none.
pub(super) fn hash_of(field: &str) -> Option<&str> {
    let hash = field.trim_start_matches('!');
    (!hash.is_empty() && !hash.starts_with('*') && hash != "x").then_some(hash)
}

/// Whether a field holds a hash that was put out of use.
pub(super) fn is_locked_hash(field: &str) -> bool {
    field.starts_with('!') && hash_of(field).is_some()
}
