use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};
use pairmill_checkpoint::module_folders;
use pairmill_cli::Progress;

use crate::id::Id;
use crate::weights::Weights;
use crate::{HubError, Result};

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
/// Further tries of a download that breaks off; each goes on where the last one stopped.
const RETRIES: usize = 3;
/// What names the folders of a model's modules.
const MODULES: &str = "modules.json";

/// The description of a model.
pub(crate) const CARD: &str = "README.md";

/// The Hub and the cache of what was fetched from it, as the environment says.
pub(crate) struct Hub {
    endpoint: String,
    cache: Cache,
    offline: bool,
}

impl Hub {
    pub fn from_env() -> Self {
        let endpoint = env::var("HF_ENDPOINT").unwrap_or_else(|_| DEFAULT_ENDPOINT.to_owned());
        let offline = env::var("HF_HUB_OFFLINE").unwrap_or_default();
        let offline = ["1", "true", "yes", "on"].contains(&offline.to_lowercase().as_str());
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            cache: cache(),
            offline,
        }
    }

    /// Returns the folder of a model in the cache, with all files that are needed to load it.
    pub fn fetch(&self, id: Id<'_>, weights: Weights, given: &str) -> Result<PathBuf> {
        let cached = self.cached(id, weights);
        if self.offline {
            return cached.ok_or_else(|| HubError::NotCached {
                model: given.to_owned(),
                cache: self.cache.path().display().to_string(),
            });
        }
        match (self.download(id, weights, given), cached) {
            (Err(error @ HubError::Unreachable { .. }), Some(folder)) => {
                tracing::warn!("{error}; using what was fetched before");
                Ok(folder)
            }
            (result, _) => result,
        }
    }

    /// Returns the folder of the commit that the revision was when last looked up, if all that is
    /// needed seems to be there.
    fn cached(&self, id: Id<'_>, weights: Weights) -> Option<PathBuf> {
        let repo = repo(id.name, id.revision);
        let folder = self.cache.path().join(repo.folder_name());
        let commit = fs::read_to_string(folder.join("refs").join(id.revision));
        // A commit has no name but itself.
        let commit = commit.unwrap_or_else(|_| id.revision.to_owned());
        let snapshot = folder.join("snapshots").join(commit.trim());
        weights.are_in(&snapshot).then_some(snapshot)
    }

    fn download(&self, id: Id<'_>, weights: Weights, given: &str) -> Result<PathBuf> {
        let failed = |error: ApiError| self.failed(given, &error);
        let api = self.api().map_err(failed)?;
        let info = api
            .repo(repo(id.name, id.revision))
            .info()
            .map_err(failed)?;
        let names = info.siblings.iter().map(|file| file.rfilename.as_str());
        let names: Vec<&str> = names.collect();
        if info.sha.is_empty() || !info.sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(HubError::Unreachable {
                model: given.to_owned(),
                endpoint: self.endpoint.clone(),
                detail: format!("its answer names no commit but `{}`", info.sha),
            });
        }
        // By commit, so that all files are of one state of the model.
        let remote = api.repo(repo(id.name, &info.sha));
        let named = self.cache.repo(repo(id.name, id.revision));
        let folder = named.pointer_path(&info.sha);
        let fetch = |name: &str| match folder.join(name).is_file() {
            true => Ok(()),
            false => {
                let bar = Bar::new(name);
                let fetched = remote.download_with_progress(name, bar);
                fetched.map(drop).map_err(failed)
            }
        };
        let mut modules = Vec::new();
        if names.contains(&MODULES) && !weights.wanted(&names, &[]).is_empty() {
            fetch(MODULES)?;
            // What is wrong with that file is said by what loads the model.
            modules = module_folders(&folder).unwrap_or_default();
        }
        let wanted = weights.wanted(&names, &modules);
        if wanted.is_empty() {
            return Err(HubError::NoWeights {
                model: given.to_owned(),
                endpoint: self.endpoint.clone(),
                wanted: weights.name(),
            });
        }
        wanted.into_iter().try_for_each(fetch)?;
        let unwritable = |error: std::io::Error| failed(ApiError::IoError(error));
        named.create_ref(&info.sha).map_err(unwritable)?;
        Ok(folder)
    }

    /// Fetches the card of a model whose files lie in `folder`, the cache's for its commit, if the
    /// model has one and the Hub can be reached.
    pub fn fetch_card(&self, id: Id<'_>, folder: &Path) {
        let Some(commit) = folder.file_name().and_then(|name| name.to_str()) else {
            return;
        };
        if self.offline {
            return;
        }
        let fetched = self.api().and_then(|api| {
            let remote = api.repo(repo(id.name, commit));
            remote.download_with_progress(CARD, Bar::new(CARD))
        });
        match fetched {
            Err(error) if status(&error) != Some(404) => {
                tracing::warn!("the card of {} cannot be fetched: {error}", id.name);
            }
            _ => {}
        }
    }

    fn api(&self) -> Result<Api, ApiError> {
        let token = env::var("HF_TOKEN").ok().filter(|token| !token.is_empty());
        ApiBuilder::from_cache(self.cache.clone())
            .with_endpoint(self.endpoint.clone())
            .with_token(token.or_else(|| self.cache.token()))
            .with_retries(RETRIES)
            .with_user_agent("pairmill", env!("CARGO_PKG_VERSION"))
            .build()
    }

    fn failed(&self, given: &str, error: &ApiError) -> HubError {
        let (model, endpoint) = (given.to_owned(), self.endpoint.clone());
        match status(error) {
            Some(status @ (401 | 403 | 404)) => HubError::Unknown {
                model,
                endpoint,
                status,
            },
            _ => HubError::Unreachable {
                model,
                endpoint,
                detail: error.to_string(),
            },
        }
    }
}

/// Returns where the Python library has its cache.
fn cache() -> Cache {
    if let Some(folder) = env::var_os("HF_HUB_CACHE") {
        return Cache::new(folder.into());
    }
    match (env::var_os("HF_HOME"), env::var_os("XDG_CACHE_HOME")) {
        (None, Some(folder)) => Cache::new(Path::new(&folder).join("huggingface/hub")),
        _ => Cache::from_env(),
    }
}

fn repo(name: &str, revision: &str) -> Repo {
    Repo::with_revision(name.to_owned(), RepoType::Model, revision.to_owned())
}

fn status(error: &ApiError) -> Option<u16> {
    match error {
        ApiError::RequestError(error) => match **error {
            ureq::Error::StatusCode(status) => Some(status),
            _ => None,
        },
        ApiError::TooManyRetries(error) => status(error),
        _ => None,
    }
}

/// A download's progress.
struct Bar {
    name: String,
    progress: Option<Progress>,
}

impl Bar {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            progress: None,
        }
    }
}

impl hf_hub::api::Progress for Bar {
    fn init(&mut self, size: usize, _: &str) {
        let label = format!("fetching {}", self.name);
        self.progress = Some(Progress::new(label, "bytes", Some(size as u64)));
    }

    fn update(&mut self, size: usize) {
        if let Some(progress) = &self.progress {
            progress.inc(size as u64);
        }
    }

    fn finish(&mut self) {
        self.progress = None;
    }
}
