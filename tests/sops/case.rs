//! One case of the property test: a document, who may read it, what is encrypted, and what is done to it.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use steadfast::identity::Recipient;
use steadfast::sops::{Format, KeyGroup, KeyGroups, MacScope, Selector, SelectorRule};

use crate::generate::Generator;
use crate::model::{Model, Node, Scalar, Step, Value, Written};
use crate::scalars::Text;
use crate::support::{RECIPIENT, vectors};

/// All that a seed gives.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) seed: u64,
    pub(super) model: Model,
    pub(super) selector: Selector,
    pub(super) keys: Keys,
    pub(super) operation: Operation,
    pub(super) indent: usize,
}

/// Recipients in groups, as texts.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    groups: Vec<Vec<String>>,
    threshold: usize,
}

/// What is done to a sealed file.
#[derive(Clone)]
pub(super) enum Operation {
    Set { path: Vec<Step>, value: String },
    Unset { path: Vec<Step> },
    Rotate,
    UpdateKeys { keys: Keys },
    Edit { model: Model },
}

impl Operation {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Set { .. } => "set",
            Self::Unset { .. } => "unset",
            Self::Rotate => "rotate",
            Self::UpdateKeys { .. } => "updatekeys",
            Self::Edit { .. } => "edit",
        }
    }
}

impl Keys {
    fn random(random: &mut StdRng) -> Self {
        let choice = random.gen_range(0..20);
        Self::choice(choice)
    }

    /// Those to which `updatekeys` can change: it keeps the file's own threshold, so all groups must be at hand.
    fn for_update(random: &mut StdRng) -> Self {
        let choice = random.gen_range(0..6);
        Self::choice(choice)
    }

    fn choice(choice: u32) -> Self {
        let public = |name: &str| {
            let text = std::fs::read_to_string(vectors().join("keys").join(name)).unwrap();
            text.trim().to_owned()
        };
        let age_a = || RECIPIENT.to_owned();
        let age_b = || "age1y8fzprpdfugc47jun0zuajl80p82zkf95wxxnjj9hu75rc8faqxqtdhh56".to_owned();
        let stranger =
            || "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga".to_owned();
        let ed25519 = || public("ssh_ed25519.pub");
        let rsa = || public("ssh_rsa.pub");
        let (groups, threshold) = match choice {
            0 => (vec![vec![age_b()]], 0),
            1 => (vec![vec![stranger(), ed25519()]], 0),
            2 => (vec![vec![age_a(), rsa(), age_b(), stranger()]], 0),
            3..=5 => (vec![vec![age_a()], vec![age_b()]], 0),
            6 | 7 => (
                vec![
                    vec![age_a(), age_b()],
                    vec![stranger()],
                    vec![stranger(), ed25519()],
                ],
                2,
            ),
            _ => (vec![vec![age_a()]], 0),
        };
        Self { groups, threshold }
    }

    pub(super) fn groups(&self) -> KeyGroups {
        let groups = self.groups.iter().map(|group| {
            let recipients = group.iter().map(|text| Recipient::parse(text).unwrap());
            KeyGroup::of(recipients)
        });
        let threshold = if self.threshold == 0 {
            self.groups.len()
        } else {
            self.threshold
        };
        KeyGroups::new(groups.collect(), threshold).unwrap()
    }

    /// The recipients' texts, group by group.
    pub(super) fn texts(&self) -> Vec<Vec<String>> {
        self.groups.clone()
    }
}

fn by_comment(selector: &Selector) -> bool {
    matches!(
        selector.rule,
        SelectorRule::UnencryptedCommentRegex(_) | SelectorRule::EncryptedCommentRegex(_)
    )
}

fn selector(random: &mut StdRng, model: &Model) -> Selector {
    // sops up to 3.13.3 cannot read comment selectors with comments in lists (SOPS format §5).
    let with_comments = model.store != Format::Json && !model.has_list_comments();
    let rule = match random.gen_range(0..if with_comments { 9 } else { 7 }) {
        0 => SelectorRule::UnencryptedSuffix("_plain".to_owned()),
        1 => SelectorRule::EncryptedSuffix("_secret".to_owned()),
        2 => SelectorRule::UnencryptedRegex("^k[12]|plain$".to_owned()),
        3 => SelectorRule::EncryptedRegex("[13579](_secret)?$".to_owned()),
        7 => SelectorRule::UnencryptedCommentRegex("comment [0-9]*[05]$".to_owned()),
        8 => SelectorRule::EncryptedCommentRegex("comment [0-9]*[0-4]$".to_owned()),
        _ => SelectorRule::default(),
    };
    let mac_scope = if random.gen_ratio(1, 4) {
        MacScope::OnlyEncrypted
    } else {
        MacScope::Everything
    };
    if model.store == Format::Binary {
        return Selector::default();
    }
    Selector { rule, mac_scope }
}

impl Case {
    /// What `seed` gives; `stores` are those to choose from.
    pub(super) fn of_seed(seed: u64, stores: &[Format]) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let store = stores[usize::try_from(seed).unwrap() % stores.len()];
        let model = Generator::model(&mut random, store);
        let selector = selector(&mut random, &model);
        let keys = Keys::random(&mut random);
        let operation = operation(&mut random, &model, &selector);
        Self {
            seed,
            model,
            selector,
            keys,
            operation,
            indent: random.gen_range(2..5),
        }
    }

    /// The document after the operation.
    pub(super) fn after(&self) -> Model {
        match &self.operation {
            Operation::Set { path, value } => self.model.with(path, text(value)),
            Operation::Unset { path } => self.model.without(path),
            Operation::Edit { model } => model.clone(),
            Operation::Rotate | Operation::UpdateKeys { .. } => self.model.clone(),
        }
    }

    /// The same case without one of its entries; nothing if that was all, or if the operation needs it.
    pub(super) fn without_entry(&self, number: usize) -> Option<Self> {
        let mut model = self.model.clone();
        if !model.drop_entry(number) {
            return None;
        }
        let case = Self {
            model,
            ..self.clone()
        };
        match &case.operation {
            Operation::Set { path, .. } | Operation::Unset { path }
                if case.model.node(path).is_none() =>
            {
                None
            }
            _ => Some(case),
        }
    }

    /// A `.sops.yaml` that says the same as this case.
    pub(super) fn rules(&self, keys: &Keys) -> String {
        let mut text = "creation_rules:\n  - key_groups:\n".to_owned();
        for group in &keys.groups {
            text.push_str("      - age:\n");
            for recipient in group {
                let _ = writeln!(text, "          - {recipient}");
            }
        }
        if keys.threshold > 0 {
            let _ = writeln!(text, "    shamir_threshold: {}", keys.threshold);
        }
        let (field, value) = match &self.selector.rule {
            SelectorRule::UnencryptedSuffix(value) => ("unencrypted_suffix", value),
            SelectorRule::EncryptedSuffix(value) => ("encrypted_suffix", value),
            SelectorRule::UnencryptedRegex(value) => ("unencrypted_regex", value),
            SelectorRule::EncryptedRegex(value) => ("encrypted_regex", value),
            SelectorRule::UnencryptedCommentRegex(value) => ("unencrypted_comment_regex", value),
            SelectorRule::EncryptedCommentRegex(value) => ("encrypted_comment_regex", value),
        };
        if self.model.store != Format::Binary {
            let _ = writeln!(text, "    {field}: '{value}'");
        }
        if self.selector.mac_scope == MacScope::OnlyEncrypted {
            text.push_str("    mac_only_encrypted: true\n");
        }
        let _ = writeln!(
            text,
            "stores: {{yaml: {{indent: {0}}}, json: {{indent: {0}}}}}",
            self.indent
        );
        text
    }

    /// All that is needed to understand a failure.
    pub(super) fn describe(&self) -> String {
        let path = match &self.operation {
            Operation::Set { path, value } => format!("{path:?} = {value:?}"),
            Operation::Unset { path } => format!("{path:?}"),
            Operation::UpdateKeys { keys } => format!("{:?}", keys.groups),
            Operation::Edit { model } => {
                format!("to:\n{}", String::from_utf8_lossy(&model.text()))
            }
            Operation::Rotate => String::new(),
        };
        format!(
            "{} {} {path}\n-- rules\n{}-- plain text\n{}\n-- in one line\n{:?}",
            self.model.store,
            self.operation.word(),
            self.rules(&self.keys),
            String::from_utf8_lossy(&self.model.text()),
            String::from_utf8_lossy(&self.model.text()),
        )
    }
}

fn text(value: &str) -> Node {
    Node::Scalar(Scalar {
        value: Value::Text(value.to_owned()),
        written: Written::Line(crate::scalars::double_quoted(value)),
    })
}

fn operation(random: &mut StdRng, model: &Model, selector: &Selector) -> Operation {
    let value = Text::random(random, model.store).0;
    let path = model.addressable().choose(random).cloned();
    match (random.gen_range(0..7), path) {
        (0, _) => Operation::Rotate,
        (1, _) => Operation::UpdateKeys {
            keys: Keys::for_update(random),
        },
        (2, Some(path)) => Operation::Unset { path },
        (3..=4, Some(path)) => Operation::Set { path, value },
        (_, path) => {
            let edited = edited(random, model, path, &value);
            let model = if by_comment(selector) && edited.has_list_comments() {
                model.clone()
            } else {
                edited
            };
            Operation::Edit { model }
        }
    }
}

/// What an editor might leave: one value changed, and one entry gone or come.
fn edited(random: &mut StdRng, model: &Model, path: Option<Vec<Step>>, value: &str) -> Model {
    let mut edited = model.clone();
    edited.bytes.extend_from_slice(value.as_bytes());
    edited.bytes.push(b'!');
    if let Some(path) = path {
        edited = edited.with(&path, text(value));
    }
    let added = Generator::model(random, model.store);
    let added = added.documents.into_iter().next();
    for entry in added.into_iter().flatten().take(2) {
        let Some(first) = edited.documents.first_mut() else {
            break;
        };
        if first.iter().all(|other| other.key != entry.key) {
            // What INI has before the first section stays there.
            let from = usize::from(first.first().is_some_and(|first| first.key == "DEFAULT"));
            let at = match entry.key.as_str() {
                "DEFAULT" => 0,
                _ => random.gen_range(from..=first.len()),
            };
            first.insert(at, entry);
        }
    }
    edited
}
