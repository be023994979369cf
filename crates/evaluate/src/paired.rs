use crate::error::Result;

/// One thing for the model and, where there is one, for the baseline it is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Paired<T> {
    pub model: T,
    pub baseline: Option<T>,
}

impl<T> Paired<T> {
    /// Does the same for both, the baseline first.
    pub fn try_map<U>(&self, mut each: impl FnMut(&T) -> Result<U>) -> Result<Paired<U>> {
        let baseline = self.baseline.as_ref().map(&mut each).transpose()?;
        Ok(Paired {
            model: each(&self.model)?,
            baseline,
        })
    }

    /// As [`try_map`](Self::try_map), for what cannot fail.
    pub fn map<U>(&self, mut each: impl FnMut(&T) -> U) -> Paired<U> {
        Paired {
            baseline: self.baseline.as_ref().map(&mut each),
            model: each(&self.model),
        }
    }

    /// As [`map`](Self::map), taking both.
    pub fn into_map<U>(self, mut each: impl FnMut(T) -> U) -> Paired<U> {
        Paired {
            baseline: self.baseline.map(&mut each),
            model: each(self.model),
        }
    }

    /// As [`map`](Self::map) where there may be nothing: `None` if the model has nothing.
    pub fn filter_map<U>(&self, mut each: impl FnMut(&T) -> Option<U>) -> Option<Paired<U>> {
        Some(Paired {
            baseline: self.baseline.as_ref().and_then(&mut each),
            model: each(&self.model)?,
        })
    }
}
