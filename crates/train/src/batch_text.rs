//! The texts of a batch, and their tokens.

use pairmill_modeling::{SentenceEncoder, Side, TokenIds};

use crate::error::Result;

/// A text that a batch embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchText<'a> {
    pub side: Side,
    pub text: &'a str,
}

pub(crate) fn query(text: &str) -> BatchText<'_> {
    BatchText {
        side: Side::Query,
        text,
    }
}

pub(crate) fn document(text: &str) -> BatchText<'_> {
    BatchText {
        side: Side::Document,
        text,
    }
}

pub(crate) fn text(text: &str) -> BatchText<'_> {
    BatchText {
        side: Side::Text,
        text,
    }
}

/// Returns the tokens of texts in their order, each with the prompt and the length of its side.
pub(crate) fn tokenized(
    encoder: &SentenceEncoder,
    texts: &[BatchText<'_>],
) -> Result<Vec<TokenIds>> {
    let of_side = |side: Side| -> Result<std::vec::IntoIter<TokenIds>> {
        let texts = texts.iter().filter(|text| text.side == side);
        let texts: Vec<&str> = texts.map(|text| text.text).collect();
        Ok(encoder.tokenize(&texts, side)?.into_iter())
    };
    let (mut queries, mut documents) = (of_side(Side::Query)?, of_side(Side::Document)?);
    let mut equals = of_side(Side::Text)?;
    let sequences = texts.iter().filter_map(|text| match text.side {
        Side::Query => queries.next(),
        Side::Document => documents.next(),
        Side::Text => equals.next(),
    });
    Ok(sequences.collect())
}
