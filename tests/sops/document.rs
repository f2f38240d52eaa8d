//! Random documents: what people might write.

use rand::Rng as _;
use rand::rngs::StdRng;

/// A random document: nested maps and lists in block style, with comments, blank lines and all kinds of scalars.
pub(super) struct Document<'a> {
    random: &'a mut StdRng,
    text: String,
    names: usize,
}

impl Document<'_> {
    /// A document's text.
    pub(super) fn random(random: &mut StdRng) -> String {
        let mut document = Document {
            random,
            text: String::new(),
            names: 0,
        };
        document.map(0, 0);
        document.text
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.random.gen_ratio(1, one_in)
    }

    fn comment(&mut self, indent: usize) {
        if self.chance(4) {
            self.names += 1;
            let line = format!("{}# comment {}\n", " ".repeat(indent), self.names);
            self.text.push_str(&line);
        }
    }

    fn line_end(&mut self) {
        if self.chance(8) {
            self.names += 1;
            let comment = format!(" # inline {}", self.names);
            self.text.push_str(&comment);
        }
        self.text.push('\n');
        if self.chance(8) {
            self.text.push('\n');
        }
    }

    fn scalar(&mut self, indent: usize) {
        const SCALARS: [&str; 18] = [
            "text",
            "'single ''quoted'''",
            "\"double \\t \\u2713\"",
            "12",
            "-0x1F",
            "1.50",
            "1e3",
            "true",
            "FALSE",
            "null",
            "~",
            "\"\"",
            "2020-01-02",
            "2020-01-02T03:04:05+02:00",
            "yes",
            "0777",
            "héllo wörld",
            "'#no comment'",
        ];
        if self.chance(8) {
            let margin = " ".repeat(indent);
            let block = format!(" |\n{margin}line one\n{margin}  line two\n");
            self.text.push_str(&block);
            return;
        }
        if self.chance(8) {
            self.text.push_str(" [a, 1, {b: c}]");
        } else {
            let scalar = SCALARS[self.random.gen_range(0..SCALARS.len())];
            self.text.push(' ');
            self.text.push_str(scalar);
        }
        self.line_end();
    }

    fn map(&mut self, indent: usize, depth: usize) {
        for _ in 0..self.random.gen_range(1..5) {
            self.comment(indent);
            self.names += 1;
            let suffix = if self.chance(5) { "_unencrypted" } else { "" };
            let key = format!("{}k{}{suffix}:", " ".repeat(indent), self.names);
            self.text.push_str(&key);
            match self.random.gen_range(0..4) {
                0 if depth < 4 => {
                    self.text.push('\n');
                    self.map(indent + 2, depth + 1);
                }
                1 if depth < 4 => {
                    self.text.push('\n');
                    let deeper = if self.chance(2) { 2 } else { 0 };
                    self.list(indent + deeper, depth + 1);
                }
                _ => self.scalar(indent + 2),
            }
        }
    }

    fn list(&mut self, indent: usize, depth: usize) {
        for _ in 0..self.random.gen_range(1..4) {
            self.comment(indent);
            let dash = format!("{}-", " ".repeat(indent));
            self.text.push_str(&dash);
            match self.random.gen_range(0..4) {
                0 if depth < 4 => {
                    self.text.push('\n');
                    self.map(indent + 2, depth + 1);
                }
                1 if depth < 4 => {
                    self.text.push('\n');
                    self.list(indent + 2, depth + 1);
                }
                _ => self.scalar(indent + 2),
            }
        }
    }
}
