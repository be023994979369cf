use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use datafusion::common::{Result, exec_datafusion_err};

/// A text column under construction that refuses to outgrow Arrow's 32-bit offsets.
#[derive(Debug, Default)]
pub struct TextColumn {
    builder: StringBuilder,
    bytes: usize,
}

impl TextColumn {
    /// Adds a text.
    ///
    /// # Errors
    /// If the texts exceed 2 GiB.
    pub fn append(&mut self, text: &str) -> Result<()> {
        self.bytes += text.len();
        if self.bytes > i32::MAX as usize {
            return Err(exec_datafusion_err!(
                "the passages of one batch exceed 2 GiB of text; lower k"
            ));
        }
        self.builder.append_value(text);
        Ok(())
    }

    /// Returns the column.
    pub fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}
