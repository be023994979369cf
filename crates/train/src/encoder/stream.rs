use tch::Device;

use super::Recipe;
use super::objectives::objectives;
use crate::error::Result;
use crate::losses::encoder::{Data, Loss};
use crate::objective::Objective;
use crate::shuffle_buffer::Parts;

/// Where the rows of an encoder come from that are read in parts.
pub(crate) struct Stream {
    pub parts: Parts,
    recipe: Recipe,
    only: Option<Loss>,
    device: Device,
    seed: u64,
}

impl Stream {
    /// # Errors
    /// If a table cannot be read, or a loss needs all of its table at once.
    pub async fn new(
        recipe: &Recipe,
        part_size: usize,
        only: Option<Loss>,
        device: Device,
        seed: u64,
    ) -> Result<Self> {
        let mut files = Vec::new();
        let sources = recipe.data.sources(recipe.loss.loss);
        for source in sources.filter(|source| only.is_none_or(|only| source.loss == only)) {
            if let Data::ScoredCandidates(_) = source.loss.data {
                return Err(source.loss.needs_all_candidates().into());
            }
            files.push(source.file);
        }
        Ok(Self {
            parts: Parts::new(&files, part_size, seed).await?,
            recipe: recipe.clone(),
            only,
            device,
            seed,
        })
    }

    /// Returns the rows of an epoch's part.
    ///
    /// # Errors
    /// If a table cannot be read.
    pub fn read(&self, epoch: u32, part: usize) -> Result<Vec<Box<dyn Objective>>> {
        let Self {
            recipe,
            only,
            device,
            seed,
            ..
        } = self;
        self.parts.read(epoch, part, async |session, buffer| {
            objectives(session, recipe, *only, buffer, *device, *seed).await
        })
    }
}
