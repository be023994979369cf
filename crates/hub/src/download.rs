use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf};

use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};
use pairmill_cli::Progress;

use crate::source::Id;
use crate::{HubError, Result};

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
/// Further tries of a download that breaks off; each goes on where the last one stopped.
const RETRIES: usize = 3;

/// The format in which a model's weights are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weights {
    Safetensors,
    Onnx,
}

impl Weights {
    /// Whether a file of the model holds the weights of its transformer.
    fn are_in(self, name: &str) -> bool {
        match self {
            Self::Safetensors => name.ends_with(".safetensors"),
            Self::Onnx => ["model.onnx", "onnx/model.onnx"].contains(&name),
        }
    }
}

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

    /// The folder of a model in the cache, with all files that are needed to load it.
    pub fn fetch(&self, id: Id<'_>, given: &str, weights: Weights) -> Result<PathBuf> {
        let cached = self.cached(id, weights);
        if self.offline {
            return cached.ok_or_else(|| HubError::NotCached {
                model: given.to_owned(),
                cache: self.cache.path().display().to_string(),
            });
        }
        match (self.download(id, given, weights), cached) {
            (Err(error @ HubError::Unreachable { .. }), Some(folder)) => {
                tracing::warn!("{error}; using what was fetched before");
                Ok(folder)
            }
            (result, _) => result,
        }
    }

    /// The folder of the commit that the revision was when last looked up, if all that is needed
    /// seems to be there.
    fn cached(&self, id: Id<'_>, weights: Weights) -> Option<PathBuf> {
        let repo = repo(id.name, id.revision);
        let folder = self.cache.path().join(repo.folder_name());
        let commit = fs::read_to_string(folder.join("refs").join(id.revision));
        // A commit has no name but itself.
        let commit = commit.unwrap_or_else(|_| id.revision.to_owned());
        let snapshot = folder.join("snapshots").join(commit.trim());
        let entries = fs::read_dir(&snapshot).ok()?.flatten();
        let modules = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir());
        let folders: Vec<PathBuf> = modules.chain([snapshot.clone()]).collect();
        let has = |is_it: &dyn Fn(&str) -> bool| {
            let entries = folders
                .iter()
                .filter_map(|folder| fs::read_dir(folder).ok());
            let mut files = entries.flatten().flatten().map(|entry| entry.path());
            files.any(|file| {
                let name = file.strip_prefix(&snapshot).ok().and_then(Path::to_str);
                name.is_some_and(is_it)
            })
        };
        let is_whole = has(&|name| Path::new(name).ends_with("config.json"))
            && has(&|name| weights.are_in(name));
        is_whole.then_some(snapshot)
    }

    fn download(&self, id: Id<'_>, given: &str, weights: Weights) -> Result<PathBuf> {
        let failed = |error: ApiError| self.failed(given, &error);
        let api = self.api().map_err(failed)?;
        let info = api
            .repo(repo(id.name, id.revision))
            .info()
            .map_err(failed)?;
        let names = info.siblings.iter().map(|file| file.rfilename.as_str());
        let wanted: Vec<&str> = names.filter(|name| is_wanted(name, weights)).collect();
        if !wanted.iter().any(|name| weights.are_in(name)) {
            let (model, endpoint) = (given.to_owned(), self.endpoint.clone());
            return Err(match weights {
                Weights::Safetensors => HubError::NoSafetensors { model, endpoint },
                Weights::Onnx => HubError::NoOnnx { model, endpoint },
            });
        }
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
        // config.json comes last, so that a fetch that broke off is not taken for a whole model.
        let (last, first): (Vec<&str>, _) = wanted.iter().partition(|name| **name == "config.json");
        for name in first.into_iter().chain(last) {
            if !folder.join(name).is_file() {
                let bar = Bar::new(name);
                remote.download_with_progress(name, bar).map_err(failed)?;
            }
        }
        let unwritable = |error: std::io::Error| failed(ApiError::IoError(error));
        named.create_ref(&info.sha).map_err(unwritable)?;
        Ok(folder)
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

/// Where the Python library has its cache.
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

/// Whether loading a model can need the file: configurations, tokenizer and safetensors of the
/// model folder and of its modules' folders (`1_Pooling`, `0_Transformer`, …). Where the weights are
/// wanted in ONNX, safetensors are those of the modules only.
fn is_wanted(name: &str, weights: Weights) -> bool {
    if weights == Weights::Onnx {
        // What exceeds 2 GiB lies in a file beside.
        let file = name.strip_prefix("onnx/").unwrap_or(name);
        if ["model.onnx", "model.onnx_data"].contains(&file) {
            return true;
        }
        if !name.contains('/') && name.ends_with(".safetensors") {
            return false;
        }
    }
    let path = Path::new(name);
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            _ => return false,
        }
    }
    let is_module = |folder: &str| {
        let index = folder.split_once('_').map(|(index, _)| index);
        index.is_some_and(|index| index.parse::<u32>().is_ok())
    };
    let is_place = match parts.as_slice() {
        [_] => true,
        [folder, _] => is_module(folder),
        _ => false,
    };
    let ending = path.extension().and_then(|ending| ending.to_str());
    is_place && matches!(ending, Some("json" | "txt" | "model" | "safetensors"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_loading_needs_is_fetched() {
        for name in [
            "config.json",
            "vocab.txt",
            "sentencepiece.bpe.model",
            "model-00001-of-00002.safetensors",
            "1_Pooling/config.json",
            "2_Dense/model.safetensors",
        ] {
            assert!(is_wanted(name, Weights::Safetensors), "{name}");
        }
        for name in [
            "README.md",
            "pytorch_model.bin",
            "onnx/model.onnx",
            "onnx/config.json",
            "../config.json",
            "/etc/vocab.txt",
            "a/b/config.json",
        ] {
            assert!(!is_wanted(name, Weights::Safetensors), "{name}");
        }
        for (name, expected) in [
            ("config.json", true),
            ("onnx/model.onnx", true),
            ("model.onnx", true),
            ("onnx/model.onnx_data", true),
            ("2_Dense/model.safetensors", true),
            ("model.safetensors", false),
            ("onnx/model_O3.onnx", false),
            ("openvino/openvino_model.xml", false),
        ] {
            assert_eq!(is_wanted(name, Weights::Onnx), expected, "{name}");
        }
    }
}
