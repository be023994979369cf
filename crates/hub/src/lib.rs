//! Models by folder or by Hugging Face Hub id.
//!
//! Downloads lie in the same cache, in the same layout, as those of the Python library, so what
//! one has fetched the other finds. `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE` and
//! `HF_TOKEN` mean what they mean there.

mod download;
mod id;
mod source;
mod weights;

pub use source::ModelSource;

/// The result of looking for a model.
pub type Result<T, E = HubError> = std::result::Result<T, E>;

/// Why a model cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HubError {
    /// Neither a folder nor the form of an id.
    #[error("{model}: no such model folder; check the path")]
    NoFolder {
        /// The model as given.
        model: String,
    },
    /// Offline, and not in the cache.
    #[error(
        "{model}: no such folder, and HF_HUB_OFFLINE is set but {cache} does not hold this model; \
         fetch it once without HF_HUB_OFFLINE, or give a folder"
    )]
    NotCached {
        /// The model as given.
        model: String,
        /// The cache.
        cache: String,
    },
    /// The Hub does not know the model, or not for us.
    #[error(
        "{model}: no such folder, and {endpoint} has no such model, or not for this HF_TOKEN \
         (status {status})"
    )]
    Unknown {
        /// The model as given.
        model: String,
        /// The Hub.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The Hub did not answer as it should.
    #[error("{model}: no such folder, and it cannot be fetched from {endpoint}: {detail}")]
    Unreachable {
        /// The model as given.
        model: String,
        /// The Hub.
        endpoint: String,
        /// What went wrong.
        detail: String,
    },
    /// There is nothing that can be loaded.
    #[error("{model}: the model at {endpoint} has no {wanted}")]
    NoWeights {
        /// The model as given.
        model: String,
        /// The Hub.
        endpoint: String,
        /// What was looked for.
        wanted: &'static str,
    },
}
