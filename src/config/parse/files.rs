//! `files`, `directories`, `symlinks`.

use super::HostParser;
use super::of::Of;
use crate::config::host::{DirectoryConfig, FileConfig, FileSource, Ignored, SymlinkConfig};
use crate::config::vocabulary::{DIRECTORY, FILE, IGNORED_LINES, SYMLINK};
use crate::config::yaml::{Entry, Node, Value};

/// What of an entry may differ.
#[derive(Debug, Clone, Copy)]
enum Part {
    Mode,
    Owner,
    Content,
}

/// Those of a file; the first two are those of a directory.
const FILE_FIELDS: &[(&str, Part)] = &[
    ("mode", Part::Mode),
    ("owner", Part::Owner),
    ("content", Part::Content),
];

impl HostParser<'_> {
    pub(super) fn files(&mut self, node: &Node, of: Of<'_>) {
        for entry in self
            .reader
            .entries(node, "files by path")
            .unwrap_or_default()
        {
            let path = self.path_key(&entry.key, of);
            let file = self.file(entry, of);
            if let (Some(path), Some(file)) = (path, file) {
                self.once(|config| &mut config.files, path, entry.key.place, file);
            }
        }
    }

    fn file(&mut self, entry: &Entry, of: Of<'_>) -> Option<FileConfig> {
        let fields = self.reader.fields(&entry.value, "a file", FILE)?;
        let source = self.required_source(fields, entry.key.place, "a file");
        if let (Some(FileSource::Text(text)), Some(node)) = (&source, fields.get("text"))
            && names_a_secret(text)
        {
            self.reader
                .error(
                    node.place,
                    "a file is written as it stands; no secret is put into it",
                )
                .fix =
                Some("declare the text under `templates:`, where secrets are filled in".to_owned());
        }
        let ownership = self.ownership(fields);
        let on_conflict = self.on_conflict(fields);
        let drift = fields.get("drift").and_then(|node| self.enforcement(node));
        let units = self.triggers(fields, of);
        let validate = fields
            .get("validate")
            .and_then(|node| self.validator(node))
            .unwrap_or_default();
        let ignore = fields.get("ignore").map(|node| self.ignored(node));
        Some(FileConfig {
            source: source?,
            owner: of.owner(ownership.owner),
            group: ownership.group,
            mode: ownership.mode,
            on_conflict,
            drift,
            units,
            validate,
            ignore: ignore.unwrap_or_default(),
        })
    }

    /// What of a file may differ: words, and maps with a pattern of lines.
    fn ignored(&mut self, node: &Node) -> Ignored {
        let mut ignored = Ignored::default();
        let what = "`mode`, `owner`, `content` or `{ lines: PATTERN }`";
        for item in self.reader.list(node, what).unwrap_or_default() {
            match &item.value {
                Value::Map(_) => ignored.lines.extend(self.ignored_lines(item)),
                _ => self.ignored_field(item, FILE_FIELDS, &mut ignored),
            }
        }
        ignored
    }

    fn ignored_lines(&mut self, node: &Node) -> Option<String> {
        let what = "an ignored part of a file";
        let fields = self.reader.fields(node, what, IGNORED_LINES)?;
        let lines = self.reader.required(fields, "lines", (node.place, what))?;
        let pattern = self.reader.line(lines)?;
        if let Err(error) = regex::bytes::Regex::new(pattern) {
            let last = error.to_string();
            let why = last
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            let message = format!("the pattern is no regular expression: {why}");
            self.reader.error(lines.place, message);
            return None;
        }
        Some(pattern.to_owned())
    }

    fn ignored_field(&mut self, node: &Node, words: &[(&str, Part)], ignored: &mut Ignored) {
        match self.reader.one_of(node, words) {
            Some(Part::Mode) => ignored.mode = true,
            Some(Part::Owner) => ignored.owner = true,
            Some(Part::Content) => ignored.content = true,
            None => {}
        }
    }

    /// A program that judges the new content of a file, whose name stands where `{file}` is.
    fn validator(&mut self, node: &Node) -> Option<Vec<String>> {
        let argv = self.argv(node)?;
        if argv.iter().skip(1).any(|arg| arg.contains("{file}")) {
            return Some(argv);
        }
        self.reader
            .error(node.place, "the program is not told which file to judge")
            .fix = Some("put \"{file}\" where the name of the file belongs".to_owned());
        None
    }

    pub(super) fn directories(&mut self, node: &Node, of: Of<'_>) {
        for entry in self
            .reader
            .entries(node, "directories by path")
            .unwrap_or_default()
        {
            let path = self.path_key(&entry.key, of);
            let Some(fields) = self.reader.fields(&entry.value, "a directory", DIRECTORY) else {
                continue;
            };
            let ownership = self.ownership(fields);
            let directory = DirectoryConfig {
                owner: of.owner(ownership.owner),
                group: ownership.group,
                mode: ownership.mode,
                drift: fields.get("drift").and_then(|node| self.enforcement(node)),
                ignore: self.ignored_of_directory(fields.get("ignore")),
            };
            if let Some(path) = path {
                let place = entry.key.place;
                self.once(|config| &mut config.directories, path, place, directory);
            }
        }
    }

    fn ignored_of_directory(&mut self, node: Option<&Node>) -> Ignored {
        let mut ignored = Ignored::default();
        let items = node.and_then(|node| self.reader.list(node, "`mode` or `owner`"));
        for item in items.unwrap_or_default() {
            self.ignored_field(item, &FILE_FIELDS[..2], &mut ignored);
        }
        ignored
    }

    pub(super) fn symlinks(&mut self, node: &Node, of: Of<'_>) {
        for entry in self
            .reader
            .entries(node, "symbolic links by path")
            .unwrap_or_default()
        {
            let path = self.path_key(&entry.key, of);
            let link = self.symlink(entry);
            if let (Some(path), Some(link)) = (path, link) {
                self.once(|config| &mut config.symlinks, path, entry.key.place, link);
            }
        }
    }

    /// A map with `target`, or the target alone.
    fn symlink(&mut self, entry: &Entry) -> Option<SymlinkConfig> {
        let Value::Map(_) = &entry.value.value else {
            return Some(SymlinkConfig {
                target: self.target(&entry.value)?,
                on_conflict: crate::config::OnConflict::default(),
                drift: None,
            });
        };
        let fields = self
            .reader
            .fields(&entry.value, "a symbolic link", SYMLINK)?;
        let owner = (entry.key.place, "a symbolic link");
        let target = self
            .reader
            .required(fields, "target", owner)
            .and_then(|node| self.target(node));
        let on_conflict = self.on_conflict(fields);
        let drift = fields.get("drift").and_then(|node| self.enforcement(node));
        Some(SymlinkConfig {
            target: target?,
            on_conflict,
            drift,
        })
    }

    fn target(&mut self, node: &Node) -> Option<String> {
        let target = self.reader.line(node)?;
        if target.len() > 4095 {
            self.reader
                .error(node.place, "a link's target has at most 4095 bytes");
            return None;
        }
        Some(target.to_owned())
    }
}

/// Whether a text has a placeholder that only templates fill in.
fn names_a_secret(text: &str) -> bool {
    text.split("{{")
        .skip(1)
        .any(|after| after.trim_start().starts_with("secret("))
}
