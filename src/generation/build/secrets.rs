//! Secrets by their ciphertext, and texts with secrets in them.

use std::collections::BTreeMap;

use super::builder::Builder;
use crate::config::{
    ConfigError, FileSource, Located, Origin, SecretConfig, SecretLink, TemplateConfig,
    line_and_column,
};
use crate::generation::{PathEntry, PathKind};
use crate::host::{Digest, FileMode, UserName};
use crate::secrets::{
    SecretName, SecretSpec, TemplateSegment, TemplateSpec, UnitTriggers, parse_template,
};
use crate::sops::{Format, ParseError, SealedFile};
use crate::source::RepoPath;

const SECRET_MODE: FileMode = FileMode::from_bits(0o400);

impl Builder<'_> {
    pub(super) fn secrets(&mut self) {
        let config = self.config;
        let mut files: BTreeMap<&RepoPath, Option<SealedFile>> = BTreeMap::new();
        for (name, located) in &config.secrets {
            self.origin(format!("secret {name}"), &located.origin);
            let secret = &located.value;
            if let Some(link) = &secret.link {
                self.secret_link(link, name.installed_path(), &located.origin);
            }
            let sealed = files
                .entry(&secret.file)
                .or_insert_with(|| self.sealed(&secret.file, &located.origin));
            let Some(sealed) = sealed else {
                continue;
            };
            let Some(ciphertext) = self.ciphertext(sealed, located) else {
                continue;
            };
            let (owner, group) = self.ownership(secret.owner.as_ref(), secret.group.as_ref());
            let spec = SecretSpec {
                file: secret.file.clone(),
                key: secret.key.clone(),
                ciphertext,
                owner,
                group,
                mode: secret.mode.unwrap_or(SECRET_MODE),
                optional: secret.optional,
                units: secret.units.clone(),
            };
            self.manifest.secrets.insert(name.clone(), spec);
        }
    }

    fn secret_link(&mut self, link: &SecretLink, target: String, origin: &Origin) {
        let entry = PathEntry {
            kind: PathKind::Symlink { target },
            on_conflict: link.on_conflict,
            drift: self.config.drift,
            units: UnitTriggers::default(),
        };
        self.place(link.path.clone(), entry, origin);
    }

    /// Reads a secret file and keeps its ciphertext as an object. `None` is recorded, once per file.
    fn sealed(&mut self, file: &RepoPath, origin: &Origin) -> Option<SealedFile> {
        let content = self.repository_file(file, origin)?;
        match SealedFile::parse(&content, Format::of_path(file.as_str())) {
            Ok(sealed) => {
                let digest = self.object(content);
                self.manifest.secret_files.insert(file.clone(), digest);
                Some(sealed)
            }
            Err(error) => {
                let fix = match error {
                    ParseError::NotSealed => format!(
                        "run `steadfast secrets encrypt -i {file}`; if it was ever pushed, change what is in it"
                    ),
                    _ => format!(
                        "`steadfast secrets check` says more; `git log -p {file}` shows who changed it"
                    ),
                };
                let error = ConfigError::new(format!("`{file}` is not a secret file"))
                    .at(origin)
                    .cause(chain(&error))
                    .fix(fix);
                self.push(error);
                None
            }
        }
    }

    /// The digest of the value's ciphertext.
    fn ciphertext(
        &mut self,
        sealed: &SealedFile,
        located: &Located<SecretConfig>,
    ) -> Option<String> {
        let SecretConfig { file, key, .. } = &located.value;
        let written = match &key[..] {
            [] => "the whole".to_owned(),
            key => key.join("/"),
        };
        let Some(text) = sealed.ciphertext_of(key) else {
            let error = ConfigError::new(format!("`{file}` has no value at `{written}`"))
                .at(&located.origin)
                .fix(no_such_key(sealed, file, key));
            self.push(error);
            return None;
        };
        if !text.starts_with("ENC[") {
            let message = format!("the value at `{written}` in `{file}` is not encrypted");
            let error = ConfigError::new(message)
                .at(&located.origin)
                .cause("the file's rules leave it in clear")
                .fix("give the key a name that the file's rules encrypt, and change the value: it is in the repository's history");
            self.push(error);
            return None;
        }
        Some(Digest::of(text.as_bytes()).as_str().to_owned())
    }

    pub(super) fn templates(&mut self) {
        let config = self.config;
        for (name, located) in &config.templates {
            self.origin(format!("template {name}"), &located.origin);
            let template = &located.value;
            if let Some(link) = &template.link {
                self.secret_link(link, name.installed_path(), &located.origin);
            }
            let Some(mut segments) = self.segments(located) else {
                continue;
            };
            for segment in &mut segments {
                let TemplateSegment::Secret(secret) = segment else {
                    continue;
                };
                if let Some(declared) = self.declared(secret, template.home.as_ref()) {
                    *secret = declared;
                } else {
                    let message =
                        format!("the template `{name}` names `{secret}`, which is not declared");
                    let fix = format!("add `{secret}:` under `secrets:`");
                    self.push(ConfigError::new(message).at(&located.origin).fix(fix));
                }
            }
            let (owner, group) = self.ownership(template.owner.as_ref(), template.group.as_ref());
            let spec = TemplateSpec {
                segments,
                owner,
                group,
                mode: template.mode.unwrap_or(SECRET_MODE),
                units: template.units.clone(),
            };
            self.manifest.templates.insert(name.clone(), spec);
        }
    }

    /// The secret that a placeholder names: one of the home, or one of the host.
    fn declared(&self, written: &SecretName, home: Option<&UserName>) -> Option<SecretName> {
        let secrets = &self.config.secrets;
        let in_home = home.and_then(|account| written.in_home(account).ok());
        let names = in_home.into_iter().chain([written.clone()]);
        names.into_iter().find(|name| secrets.contains_key(name))
    }

    fn segments(&mut self, located: &Located<TemplateConfig>) -> Option<Vec<TemplateSegment>> {
        let source = &located.value.source;
        let bytes = self.content(source, &located.origin)?;
        let Ok(text) = String::from_utf8(bytes) else {
            let error = ConfigError::new("a template must be UTF-8 text").at(&located.origin);
            self.push(error);
            return None;
        };
        match parse_template(&text) {
            Ok(segments) => Some(segments),
            Err(error) => {
                let origin = match source {
                    FileSource::File(file) => position(file, &text, error.offset),
                    // Offsets in a text block are not columns of the file.
                    FileSource::Text(_) | FileSource::Filled { .. } => located.origin.clone(),
                };
                let error = ConfigError::new(format!("this is not a template: {error}"))
                    .at(&origin)
                    .fix(error.kind.fix());
                self.push(error);
                None
            }
        }
    }
}

/// The line and column of a byte of a file.
fn position(file: &RepoPath, text: &str, offset: usize) -> Origin {
    let before = text.get(..offset).unwrap_or(text);
    let (line, column) = line_and_column(before);
    Origin {
        file: file.clone(),
        line,
        column,
    }
}

fn no_such_key(sealed: &SealedFile, file: &RepoPath, key: &[String]) -> String {
    let known: Vec<String> = sealed
        .key_paths()
        .iter()
        .map(|path| path.join("/"))
        .collect();
    let written = key.join("/");
    let below = format!("{written}/");
    if known.iter().any(|path| path.starts_with(&below)) {
        return format!("`{written}` is a map; name a value in it");
    }
    if let Some(meant) = crate::config::nearest(&written, known.iter().map(String::as_str)) {
        return format!("did you mean `{meant}`? say it with `key: {meant}`");
    }
    format!("add it with `steadfast secrets edit {file}`")
}

/// An error with everything that led to it.
pub(in crate::generation) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
