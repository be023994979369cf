//! Failures of libtorch as errors, since most operations of tch have no other way to fail than a
//! panic; and draws from its generator, since the process has one only.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, Once, PoisonError};

use tch::TchError;

use crate::{ModelError, Result};

/// How the message of a panic begins that stands for a failure of libtorch.
const FAILED: &str = "called `Result::unwrap()` on an `Err` value: Torch(\"";

thread_local! {
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Runs operations of libtorch and gives their failure back as an error. Other panics go on.
///
/// # Errors
/// If an operation fails, above all for want of memory.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_WATCHED.get() || failure(info.payload()).is_none() {
                before(info);
            }
        }));
    });
    let outer = IS_WATCHED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_WATCHED.set(outer);
    result.map_err(|payload| match failure(&*payload) {
        Some(message) => ModelError::from(TchError::Torch(message)),
        None => panic::resume_unwind(payload),
    })
}

/// Runs draws of libtorch that start at a seed. One thread draws at a time: the generator belongs
/// to the whole process, and another thread's draws or seed between these would change them.
pub(crate) fn seeded<T>(seed: u64, draw: impl FnOnce() -> T) -> T {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let _held = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(seed as i64);
    draw()
}

/// Returns the message of a failure that became a panic.
fn failure(payload: &(dyn Any + Send)) -> Option<String> {
    let message = payload.downcast_ref::<String>()?;
    let message = message.strip_prefix(FAILED)?;
    let message = message.strip_suffix("\")").unwrap_or(message);
    Some(message.replace("\\n", "\n").replace("\\\"", "\""))
}

impl From<TchError> for ModelError {
    fn from(error: TchError) -> Self {
        let TchError::Torch(message) = &error else {
            return Self::Torch(error);
        };
        // What follows is a trace through the library.
        let detail = message.lines().next().unwrap_or_default().trim();
        let is_memory = [
            "out of memory",
            "not enough memory",
            "can't allocate memory",
        ];
        match is_memory.iter().any(|words| detail.contains(words)) {
            true => Self::OutOfMemory {
                detail: detail.to_owned(),
            },
            false => Self::Torch(TchError::Torch(detail.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn draws_of_a_seed_are_the_same_beside_those_of_other_threads() {
        let draws = |seed| {
            seeded(seed, || {
                let options = (Kind::Float, Device::Cpu);
                let drawn: Vec<_> = (0..50).map(|_| Tensor::randn([40], options)).collect();
                Vec::<f32>::try_from(Tensor::cat(&drawn, 0)).unwrap()
            })
        };
        let alone = draws(1);
        std::thread::scope(|scope| {
            for other in 2..6 {
                scope.spawn(move || (0..20).for_each(|_| drop(draws(other))));
            }
            for _ in 0..20 {
                assert_eq!(draws(1), alone);
            }
        });
        assert_ne!(draws(2), alone);
    }

    #[test]
    fn what_does_not_fit_into_memory_is_an_error() {
        let options = (Kind::Float, Device::Cpu);
        let error = caught(|| Tensor::zeros([1 << 24, 1 << 24], options)).unwrap_err();
        assert!(matches!(error, ModelError::OutOfMemory { .. }), "{error}");
        assert_eq!(error.to_string().lines().count(), 1);
    }

    #[test]
    fn shapes_that_do_not_fit_are_an_error_of_one_line() {
        let options = (Kind::Float, Device::Cpu);
        let [a, b] = [[2, 3], [4, 5]].map(|shape| Tensor::zeros(shape, options));
        let error = caught(|| a.matmul(&b)).unwrap_err().to_string();
        assert!(error.starts_with("libtorch: "), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(caught(|| 7).unwrap(), 7);
    }

    #[test]
    fn other_panics_go_on() {
        let caught = panic::catch_unwind(|| caught(|| panic!("mine")));
        assert!(caught.is_err());
    }
}
