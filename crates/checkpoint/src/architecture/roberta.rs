//! RoBERTa (Liu et al. 2019), XLM-R (Conneau et al. 2020) and CamemBERT: BERT whose positions start
//! behind the padding token's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Architecture, BertConfig, ClassifierConfig, Facts};
use crate::tokenizer_class::Class;

pub(super) const FACTS: &[Facts] = &[
    facts("roberta", Class::Roberta),
    facts("xlm-roberta", Class::XlmRoberta),
    facts("camembert", Class::Camembert),
];

const fn facts(name: &'static str, tokenizer: Class) -> Facts {
    Facts {
        unused_positions: |config: &Value| {
            config["pad_token_id"].as_u64().unwrap_or(1) as usize + 1
        },
        ..Facts::new(name, tokenizer)
    }
}

/// The part of a RoBERTa `config.json` that shapes the network: BERT's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RobertaConfig(pub BertConfig);

impl RobertaConfig {
    /// Returns the row of the position embedding that padding has; a text's first token has the
    /// next.
    pub fn padding_idx(&self) -> i64 {
        self.0.pad_token_id.unwrap_or(1)
    }
}

impl Architecture for RobertaConfig {
    fn hidden_size(&self) -> i64 {
        self.0.hidden_size
    }

    fn heads(&self) -> i64 {
        self.0.num_attention_heads
    }

    fn vocab_size(&self) -> i64 {
        self.0.vocab_size
    }

    fn max_length(&self) -> i64 {
        self.0.max_position_embeddings - self.padding_idx() - 1
    }

    fn prefix(&self) -> &'static str {
        "roberta."
    }

    fn classifier_class(&self) -> &'static str {
        match self.0.model_type.as_str() {
            "xlm-roberta" => "XLMRobertaForSequenceClassification",
            "camembert" => "CamembertForSequenceClassification",
            _ => "RobertaForSequenceClassification",
        }
    }

    fn classifier(&self) -> ClassifierConfig {
        let bert = &self.0;
        let dropout = bert.classifier_dropout.unwrap_or(bert.hidden_dropout_prob);
        ClassifierConfig {
            dropout_before_dense: dropout,
            dropout_before_output: dropout,
            initializer_range: bert.initializer_range,
            ..ClassifierConfig::of_width(bert.hidden_size)
        }
    }
}
