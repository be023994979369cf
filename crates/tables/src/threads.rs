use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Result, TableError};

/// The threads that tables are read on, for a program that waits for them: in an asynchronous one
/// those that it has, else some of their own.
///
/// In an asynchronous program the waiting belongs into `tokio::task::spawn_blocking`.
#[derive(Debug)]
pub struct Threads {
    handle: Handle,
    _own: Option<Runtime>,
}

impl Threads {
    /// Starts the threads, unless an asynchronous program has some.
    ///
    /// # Errors
    /// If they cannot be started.
    pub fn new(threads: usize) -> Result<Self> {
        if let Ok(handle) = Handle::try_current() {
            return Ok(Self { handle, _own: None });
        }
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(threads.max(1)).enable_all().build();
        let runtime = runtime.map_err(TableError::Runtime)?;
        Ok(Self {
            handle: runtime.handle().clone(),
            _own: Some(runtime),
        })
    }

    /// Waits for what is read.
    ///
    /// # Panics
    /// In an asynchronous task, which must not wait.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_an_asynchronous_program_are_taken_and_others_are_started() {
        assert!(Threads::new(1).unwrap()._own.is_some());
        let runtime = Runtime::new().unwrap();
        let waiting = runtime.spawn_blocking(|| {
            let threads = Threads::new(1).unwrap();
            assert!(threads._own.is_none());
            threads.block_on(async { tokio::spawn(async { 7 }).await.unwrap() })
        });
        assert_eq!(runtime.block_on(waiting).unwrap(), 7);
    }
}
