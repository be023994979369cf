//! What a Hugging Face or sentence-transformers folder says, read once for every runtime: its
//! modules, pooling, dense layers, prompts, tokenizer, longest text, similarity, labels and
//! weights.
//!
//! Files are read as sentence-transformers 6 and transformers 5 read them. What these do otherwise
//! with a setting and we do not is refused by its name and file; nothing is passed over in silence.

mod activation;
mod architecture;
mod card_header;
mod companions;
mod cross_encoder;
mod dense;
mod error;
mod external_data;
mod files;
mod folder;
mod labels;
mod modules;
mod pooling;
mod prompts;
mod rebuilt_tokenizer;
mod sentence_config;
mod similarity_function;
mod tokenizer;
mod tokenizer_class;
mod tokenizer_config;
mod vectors;
mod weights;

pub use activation::Activation;
pub use architecture::{
    Architecture, BertConfig, ClassifierConfig, DistilBertConfig, HiddenActivation, LayerType,
    ModernBertConfig, MpnetConfig, NormConfig, PostNormConfig, PostNormNames, RobertaConfig, Rope,
    RopeParameters,
};
pub use card_header::{CardFigure, CardHeader, CardResult};
pub use cross_encoder::declared_activation;
pub use dense::{Dense, DenseConfig, LayerNormConfig, Residual};
pub use error::{CheckpointError, Result, excerpt, excerpt_of_pair};
pub use external_data::refuse_foreign_data;
pub use files::{read_json, write};
pub use folder::Checkpoint;
pub use labels::relevant_logit;
pub use modules::{Head, Modules, module_folders};
pub use pooling::{Pooling, PoolingMode};
pub use prompts::{Prompts, Side};
pub use similarity_function::SimilarityFunction;
pub use tokenizer::{TextTokenizer, TokenIds};
pub use vectors::{dot, normalize, scale_to_unit};
pub use weights::{Values, weight_files};
