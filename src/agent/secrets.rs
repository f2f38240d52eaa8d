//! Opening a generation's secrets with this host's key, from what was built or from what is stored.

use std::error::Error;

use super::Settings;
use crate::activation::SecretSource;
use crate::generation::{Built, Manifest, Store};
use crate::identity::{HostKey, Identities};
use crate::report::{Problem, Unavailable};
use crate::secrets::{self, OpenedSecrets};
use crate::source::RepoPath;

/// The secrets of generations, as this host can open them.
pub(super) struct StoredSecrets<'a> {
    settings: &'a Settings,
    store: &'a Store,
}

type Ciphertext = Result<Vec<u8>, Box<dyn Error + Send + Sync>>;

impl<'a> StoredSecrets<'a> {
    pub(super) fn new(settings: &'a Settings, store: &'a Store) -> Self {
        Self { settings, store }
    }

    /// Opens the secrets of a generation that is not stored yet.
    pub(super) fn open_built(&self, built: &Built) -> Result<OpenedSecrets, Problem> {
        self.open_with(&built.manifest, &|path| {
            let digest = built.manifest.secret_files.get(path);
            let object = digest.and_then(|digest| built.objects.get(digest));
            object
                .cloned()
                .ok_or_else(|| format!("{path} was not built").into())
        })
    }

    /// Opens the secrets of a stored generation. Needs neither the repository nor the network.
    pub(super) fn open_manifest(&self, manifest: &Manifest) -> Result<OpenedSecrets, Problem> {
        self.open_with(manifest, &|path| self.stored(manifest, path))
    }

    fn stored(&self, manifest: &Manifest, path: &RepoPath) -> Ciphertext {
        let digest = manifest
            .secret_files
            .get(path)
            .ok_or_else(|| format!("{path} is not kept with the generation"))?;
        Ok(self.store.object(digest)?)
    }

    fn open_with(
        &self,
        manifest: &Manifest,
        ciphertext: &dyn Fn(&RepoPath) -> Ciphertext,
    ) -> Result<OpenedSecrets, Problem> {
        if manifest.secrets.is_empty() {
            return Ok(OpenedSecrets::default());
        }
        let key = HostKey::read(&self.settings.identity).map_err(|error| {
            Problem::of(&error)
                .about("cannot open this host's secrets")
                .with_fix(error.fix())
        })?;
        secrets::open(&manifest.secrets, ciphertext, &Identities::of_host(&key)).map_err(|error| {
            let mut problem = Problem::of(&error).with_fix(error.fix());
            if error.failed.len() > 1 {
                problem.causes.extend(
                    error
                        .failed
                        .iter()
                        .map(|failed| Problem::of(failed).in_one_line()),
                );
            }
            problem
        })
    }
}

impl SecretSource for StoredSecrets<'_> {
    fn open(&self, manifest: &Manifest) -> Result<OpenedSecrets, Box<dyn Error + Send + Sync>> {
        self.open_manifest(manifest)
            .map_err(|problem| problem.in_one_line().into())
    }
}

/// The optional secrets that did not open, for the report.
pub(super) fn unavailable(secrets: &OpenedSecrets) -> Vec<Unavailable> {
    let all = secrets.unavailable().iter();
    all.map(|(name, error)| Unavailable {
        name: name.to_string(),
        cause: Problem::of(error).in_one_line(),
        fix: Some(error.fix()),
    })
    .collect()
}
