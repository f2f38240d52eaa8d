//! The options of modules: each is found out when it is first asked for.

use std::rc::Rc;

use minijinja::value::Value;

use super::evaluate::Mode;
use super::explain::Source;
use super::run::{Asked, Run};
use super::scope::{Frame, Scope};
use super::wanted::{By, Mention};
use crate::config::ModuleName;
use crate::config::expression::value_of;
use crate::config::merge::{Merger, Said, What};
use crate::config::nearest::nearest;
use crate::config::options::{Checker, Spec};
use crate::config::reader::listed;
use crate::config::yaml::{Node, Place, Scalar, Value as Content};

/// How many options may wait for one another.
const LONGEST_TRAIL: usize = 40;

/// Who asks for an option: a place, or a word of a text that stands there. The word's own place is looked for when
/// somebody has to be told, since that takes reading the file again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'t> {
    place: Place,
    word: Option<(&'t str, &'t str)>,
}

/// An [`Asker`] that outlives its text.
pub(super) type KeptAsker = (Place, Option<(String, String)>);

impl<'t> Asker<'t> {
    fn of(place: Place) -> Self {
        Self { place, word: None }
    }

    /// `word` of an expression. In a file that is filled in, the place that names the file stands for it.
    pub(super) fn word(source: &Source<'t>, word: &'t str) -> Self {
        let text = source.file.is_none().then_some(source.text);
        Self {
            place: source.place,
            word: text.map(|text| (text, word)),
        }
    }

    fn kept(self) -> KeptAsker {
        let word = self.word;
        (
            self.place,
            word.map(|(text, word)| (text.to_owned(), word.to_owned())),
        )
    }
}

/// What is known of an option.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// It is being found out: who asks for it now asks in a circle.
    Pending,
    /// Found out; `None` if it has no value, which is recorded.
    Known(Option<Rc<Setting>>),
}

/// The value of an option.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) node: Node,
    pub(super) value: Value,
    /// Whether it is the default.
    pub(super) default: bool,
}

impl Run<'_> {
    /// Whether a module is on. `None` if that cannot be found out, which is recorded.
    pub(super) fn enabled(&mut self, module: &ModuleName, place: Place) -> Option<bool> {
        let setting = self.option(module, "enable", place)?;
        Some(setting.value.is_true())
    }

    /// Whether a module is on and its `when` holds.
    pub(super) fn active(&mut self, module: &ModuleName, place: Place) -> Option<bool> {
        if !self.enabled(module, place)? {
            return Some(false);
        }
        if let Some(known) = self.active.get(module) {
            return Some(*known);
        }
        let stock = self.stock;
        let active = match stock
            .modules
            .get(module)
            .and_then(|module| module.when.as_ref())
        {
            Some(when) => self.condition(when, &Frame::new(Scope::Module(module.clone())))?,
            None => true,
        };
        self.active.insert(module.clone(), active);
        Some(active)
    }

    /// The value of an option that is asked for at `place`. `None` is recorded.
    pub(super) fn option(
        &mut self,
        module: &ModuleName,
        name: &str,
        place: Place,
    ) -> Option<Rc<Setting>> {
        self.option_for(module, name, Asker::of(place))
    }

    /// The value of an option that an expression asks for. `None` is recorded.
    pub(super) fn option_for(
        &mut self,
        module: &ModuleName,
        name: &str,
        asker: Asker<'_>,
    ) -> Option<Rc<Setting>> {
        let wanted: Asked = (module.clone(), name.to_owned());
        match self.options.get(&wanted) {
            Some(Answer::Known(known)) => return known.clone(),
            Some(Answer::Pending) => {
                self.circle(&wanted, asker);
                return None;
            }
            None => {}
        }
        if self.trail.len() >= LONGEST_TRAIL {
            self.exhaust(
                self.place_of_asker(asker.place, asker.word),
                &format!("more than {LONGEST_TRAIL} options wait for one another"),
                "set some of them to a value instead of an expression",
            );
            return None;
        }
        self.options.insert(wanted.clone(), Answer::Pending);
        self.trail.push((wanted.clone(), asker.kept()));
        let setting = self.find_out(module, name).map(Rc::new);
        self.trail.pop();
        self.options.insert(wanted, Answer::Known(setting.clone()));
        setting
    }

    fn find_out(&mut self, module: &ModuleName, name: &str) -> Option<Setting> {
        let stock = self.stock;
        let spec = stock.modules.get(module)?.options.get(name)?;
        let mentions = self.mentions.get(module).cloned().unwrap_or_default();
        let mut said = Vec::new();
        for mention in mentions.iter() {
            said.extend(self.said_by(mention, name)?);
        }
        let mut work = Merger::new(What::Option(module, name), &mut self.reader);
        let merged = work.merge(said);
        let unheard = work.take_unheard();
        if !unheard.is_empty() {
            let wanted: Asked = (module.clone(), name.to_owned());
            self.unheard_options.insert(wanted, unheard);
        }
        let what = format!("the option `{name}` of `{module}`");
        if let Some(node) = merged.filter(|node| !node.is_null()) {
            return self.setting(spec, &node, what, false);
        }
        match &spec.default {
            Some(default) => {
                let frame = Frame::new(Scope::Module(module.clone()));
                let node = self.evaluate(default, &frame, Mode::Option)?;
                self.setting(spec, &node, what, true)
            }
            None => self.unset(module, name, spec, mentions.first()),
        }
    }

    fn setting(
        &mut self,
        spec: &Spec,
        node: &Node,
        what: String,
        default: bool,
    ) -> Option<Setting> {
        let node = Checker {
            reader: &mut self.reader,
            what,
        }
        .check(spec, node)?;
        let value = value_of(&node);
        Some(Setting {
            node,
            value,
            default,
        })
    }

    /// What one mention says about an option: nothing, or one thing. `None` is recorded.
    fn said_by(&mut self, mention: &Mention, name: &str) -> Option<Vec<Said>> {
        let counts = match &mention.by {
            By::Host => true,
            By::Import(module) => self.enabled(module, mention.place)?,
            By::Profile(module) => self.active(module, mention.place)?,
        };
        if !counts {
            return Some(Vec::new());
        }
        let rank = mention.by.rank();
        let frame = Frame::new(mention.by.scope());
        let options = mention.options.as_ref();
        if let Some(when) = options.and_then(|options| options.get("when"))
            && !self.condition(when, &frame)?
        {
            return Some(Vec::new());
        }
        let node = match options.and_then(|options| options.get(name)) {
            Some(node) => self.evaluate(node, &frame, Mode::Option),
            // Whoever names a module turns it on.
            None if name == "enable" => {
                let on = Scalar::new("true".to_owned(), true);
                Some(Node::new(mention.place, Content::Scalar(on)))
            }
            None => None,
        };
        Some(node.into_iter().map(|node| Said { rank, node }).collect())
    }

    /// An option without a default that nobody sets: an error where the module is on, nothing where it is off.
    fn unset(
        &mut self,
        module: &ModuleName,
        name: &str,
        spec: &Spec,
        mention: Option<&Mention>,
    ) -> Option<Setting> {
        let on = match mention {
            Some(mention) => self.enabled(module, mention.place)?,
            None => false,
        };
        let Some(mention) = mention.filter(|_| on) else {
            let nothing = Scalar::new(String::new(), true);
            let node = Node::new(spec.place, Content::Scalar(nothing));
            return Some(Setting {
                node,
                value: Value::from(()),
                default: true,
            });
        };
        // A declaration that is wrong may lack its default for that reason.
        if !self.stock.modules.get(module)?.errors.is_empty() {
            return None;
        }
        let declared = self.reader.mark(spec.place);
        let error = self.reader.error(
            mention.place,
            format!("`{module}` needs its option `{name}`"),
        );
        error.related = Some((
            declared,
            "it is declared here, without a default".to_owned(),
        ));
        error.fix = Some(format!("set `{name}:` below `{module}:`"));
        None
    }

    /// Records keys under a module's name that are no options of it.
    pub(super) fn check_mentions(&mut self, module: &ModuleName) {
        let stock = self.stock;
        let Some(declared) = stock
            .modules
            .get(module)
            .filter(|module| module.errors.is_empty())
        else {
            return;
        };
        for mention in self
            .mentions
            .get(module)
            .cloned()
            .unwrap_or_default()
            .iter()
        {
            for entry in mention.options.iter().flat_map(Node::entries) {
                let key = entry.key.text.as_str();
                if key != "when" && !declared.options.contains_key(key) {
                    let (message, fix) = self.no_such_option(module, key);
                    self.reader.error(entry.key.place, message).fix = Some(fix);
                }
            }
        }
    }

    /// That a module has no such option, and the nearest that it has.
    pub(super) fn no_such_option(&self, module: &ModuleName, name: &str) -> (String, String) {
        let options = self.stock.modules.get(module).map(|module| &module.options);
        let known: Vec<&str> = options
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let fix = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the options of `{module}` are {}", listed(&known)),
        };
        (format!("`{name}` is not an option of `{module}`"), fix)
    }

    /// Records that an option is asked for in order to find out that same option.
    fn circle(&mut self, wanted: &Asked, asker: Asker<'_>) {
        let from = self
            .trail
            .iter()
            .position(|(step, _)| step == wanted)
            .unwrap_or(0);
        let place = self.place_of_asker(asker.place, asker.word);
        let trail = &self.trail[from..];
        let circle: Vec<(Asked, Place)> = trail
            .iter()
            .map(|(step, (place, word))| {
                let word = word
                    .as_ref()
                    .map(|(text, word)| (text.as_str(), word.as_str()));
                (step.clone(), self.place_of_asker(*place, word))
            })
            .collect();
        let steps = circle.iter().enumerate().map(|(index, (step, _))| {
            let (next, place) = match circle.get(index + 1) {
                Some((next, place)) => (next, *place),
                None => (wanted, place),
            };
            let origin = self.reader.origin(place);
            format!("{} depends on {} ({origin})", noun(step), noun(next))
        });
        let cause = steps.collect::<Vec<_>>().join("; ");
        let error = self
            .reader
            .error(place, format!("{} depends on itself", noun(wanted)));
        error.cause = Some(cause);
        error.fix =
            Some("break the circle: set one of them to a value, or leave one out".to_owned());
    }
}

fn noun((module, option): &Asked) -> String {
    if option == "enable" {
        format!("whether `{module}` is on")
    } else {
        format!("`{module}.{option}`")
    }
}
