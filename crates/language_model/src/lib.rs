//! Answers of a language model behind an endpoint of OpenAI's chat form: llama.cpp, Ollama, vLLM,
//! or a hosted one.
//!
//! [`ask`] sends prompts in parallel, waits and tries again where that may help, spends no more
//! requests than it may, and keeps each answer in a file, so that none is asked for twice.

mod ask;
mod endpoint;
mod error;
mod kept_answers;
mod pace;

pub use ask::{Answers, AskOptions, Counts, ask};
pub use endpoint::{Endpoint, EndpointOptions};
pub use error::{LanguageModelError, Result};

use serde::{Deserialize, Serialize};

/// What a model is asked, with what shapes its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Prompt {
    /// The model's name, as the endpoint calls it.
    pub model: String,
    /// What was said so far.
    pub messages: Vec<Message>,
    /// How much chance there is in the answer; without one, as the endpoint has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Tokens of the answer at most.
    pub max_tokens: u32,
    /// For endpoints that give the same answer to the same seed.
    pub seed: u64,
}

/// A part of a conversation.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// Who says something.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who sets the task.
    System,
    /// Who asks.
    User,
    /// The model.
    Assistant,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// May be empty.
    pub text: String,
    /// Whether it reached its greatest length before its end.
    pub is_cut: bool,
    /// Tokens of the prompt, as the endpoint counts them.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

impl Prompt {
    /// Returns what tells the prompt from others, wherever it is sent to.
    pub(crate) fn key(&self) -> String {
        // Of strings and numbers, which JSON can always hold.
        let text = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&text).to_hex().to_string()
    }
}
