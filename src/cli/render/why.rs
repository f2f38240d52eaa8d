//! Where something comes from, for people.

use std::collections::BTreeMap;

use super::Lines;
use super::report::revision;
use crate::cli::style::{FAINT, LABEL, WARN, paint};
use crate::cli::why::WhyAnswer;
use crate::config::{Origin, Speaker};
use crate::generation::{Entry, OptionSaid, Said, Thing};
use crate::source::{CommitId, Revision};

/// `steadfast why`.
pub(in crate::cli) fn why(answer: &WhyAnswer, now_secs: i64) -> String {
    let mut text = Text {
        lines: Lines::default(),
        answer,
        commits: BTreeMap::new(),
        now_secs,
    };
    for thing in &answer.things {
        text.lines.gap();
        text.thing(thing);
    }
    text.lines.finish()
}

struct Text<'a> {
    lines: Lines,
    answer: &'a WhyAnswer,
    /// The commits that were named and not yet told about.
    commits: BTreeMap<CommitId, Revision>,
    now_secs: i64,
}

/// What is said on one line of a file, in words.
struct OnLine<'a> {
    by: &'a Speaker,
    origin: &'a Origin,
    words: Vec<String>,
}

impl Text<'_> {
    fn thing(&mut self, thing: &Thing) {
        let title = format!("{} {}", thing.kind, thing.name);
        self.lines.line(paint(LABEL, title.trim_end()));
        for fact in &thing.facts {
            self.lines
                .line(format!("  {:<14}{}", fact.label, fact.value));
        }
        for entry in &thing.entries {
            self.lines.gap();
            self.entry(entry);
        }
        self.options(thing);
        self.modules(thing);
        if !thing.triggers.is_empty() {
            self.heading("when it changes");
            for one in &thing.triggers {
                let because = paint(FAINT, format!("({})", one.because));
                self.lines
                    .line(format!("    {} {} {because}", one.subject, one.action));
            }
        }
        self.written();
    }

    fn heading(&mut self, text: &str) {
        self.lines.gap();
        self.lines.line(format!("  {}", paint(LABEL, text)));
    }

    fn entry(&mut self, entry: &Entry) {
        self.lines
            .line(format!("  {}", paint(LABEL, entry.path.join(" → "))));
        let mut places: Vec<OnLine<'_>> = Vec::new();
        let plain = |word: String| word;
        let overruled = |word: String| paint(WARN, format!("overruled: {word}"));
        let also = |word: String| paint(FAINT, format!("also said: {word}"));
        collect(&entry.said, plain, &mut places);
        collect(&entry.overruled, overruled, &mut places);
        collect(&entry.also, also, &mut places);
        for place in places {
            self.place(place.by, place.origin);
            for word in place.words {
                self.lines.line(format!("      {word}"));
            }
        }
    }

    /// Where it is, the line itself, and who wrote it.
    fn place(&mut self, by: &Speaker, origin: &Origin) {
        let Origin { file, line, .. } = origin;
        let by = paint(FAINT, format!("({by})"));
        self.lines.line(format!("    {file}:{line} {by}"));
        let found = self
            .answer
            .lines
            .iter()
            .find(|one| one.file == *file && one.line == *line);
        let Some(found) = found else {
            return;
        };
        let written = match (&found.commit, &found.no_commit) {
            (Some(commit), _) => {
                self.commits.insert(commit.commit.clone(), commit.clone());
                paint(FAINT, commit.commit.short())
            }
            (None, Some(reason)) => paint(WARN, reason),
            (None, None) => String::new(),
        };
        let text = found.text.trim();
        let number = paint(FAINT, format!("{line} |"));
        self.lines.line(format!("      {written}  {number} {text}"));
    }

    /// The commits that lines come from, the newest first.
    fn written(&mut self) {
        if self.commits.is_empty() {
            return;
        }
        self.heading("written in");
        let mut commits: Vec<Revision> = std::mem::take(&mut self.commits).into_values().collect();
        commits.sort_by_key(|commit| std::cmp::Reverse(commit.time_secs));
        for commit in commits {
            self.lines
                .line(format!("    {}", revision(&commit, self.now_secs)));
        }
    }

    fn options(&mut self, thing: &Thing) {
        if thing.options.is_empty() {
            return;
        }
        self.heading(match thing.kind.as_str() {
            "module" => "options",
            "option" => "value",
            _ => "depends on",
        });
        for option in &thing.options {
            self.option(option);
        }
    }

    fn option(&mut self, option: &OptionSaid) {
        let OptionSaid { module, value, .. } = option;
        let default = if option.default {
            paint(FAINT, " (the default)")
        } else {
            String::new()
        };
        let name = format!("{module}.{}", option.option);
        self.lines
            .line(format!("    {}: {value}{default}", paint(LABEL, name)));
        self.place(&option.by, &option.origin);
        for said in &option.overruled {
            self.place(&said.by, &said.origin);
            let word = paint(WARN, format!("overruled: {}", word(said)));
            self.lines.line(format!("      {word}"));
        }
    }

    fn modules(&mut self, thing: &Thing) {
        if thing.modules.is_empty() {
            return;
        }
        self.heading("turned on by");
        for turned in &thing.modules {
            let Origin { file, line, .. } = &turned.origin;
            let name = paint(LABEL, &turned.module);
            let place = paint(FAINT, format!("{file}:{line}"));
            self.lines
                .line(format!("    {name}: {} {place}", turned.by));
        }
    }
}

fn collect<'a>(said: &'a [Said], style: impl Fn(String) -> String, places: &mut Vec<OnLine<'a>>) {
    for one in said {
        let words = word(one);
        let index = places.iter().position(|place| {
            place.origin.file == one.origin.file && place.origin.line == one.origin.line
        });
        let index = index.unwrap_or_else(|| {
            places.push(OnLine {
                by: &one.by,
                origin: &one.origin,
                words: Vec::new(),
            });
            places.len() - 1
        });
        if !words.is_empty() {
            places[index].words.push(style(words));
        }
    }
}

fn word(said: &Said) -> String {
    match (said.key.as_str(), said.value.as_str()) {
        ("", value) => value.to_owned(),
        (key, value) => format!("{key}: {value}"),
    }
}
