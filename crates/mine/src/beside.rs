use std::fs;
use std::path::{Path, PathBuf};

use datafusion::prelude::SessionContext;
use pairmill_tables::{Lineage, TemporaryFolder, is_stream, keep_when_interrupted, sibling};

use crate::parts::{KEPT, temporary_folder};
use crate::retriever::Retriever;
use crate::{Corpus, Result};

/// A retriever whose indexes lie beside an output while it is made, where the user named no folder
/// for them. Embeddings stay there after an interruption, and the same command goes on from them.
pub(crate) struct Beside {
    pub retriever: Retriever,
    // After the retriever, whose files lie in it.
    folder: Folder,
    _temporary: Option<TemporaryFolder>,
}

/// A folder that goes away in the end, unless there are embeddings in it, which the next run can
/// use.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

impl Beside {
    pub async fn open(
        corpus: &Corpus,
        session: &SessionContext,
        lineage: &Lineage,
        threads: usize,
        output: &Path,
    ) -> Result<Self> {
        let temporary = match is_stream(output) {
            true => Some(temporary_folder()?),
            false => None,
        };
        let folder = match &temporary {
            Some(temporary) => Folder(temporary.path().to_owned()),
            None => {
                let folder = sibling(output, ".parts")?;
                keep_when_interrupted(&folder, KEPT);
                Folder(folder)
            }
        };
        Ok(Self {
            retriever: Retriever::open(corpus, session, lineage, threads, &folder.0).await?,
            folder,
            _temporary: temporary,
        })
    }

    /// Takes the folder away when the output is whole.
    pub fn remove(self) {
        let _ = fs::remove_dir_all(&self.folder.0);
    }
}
