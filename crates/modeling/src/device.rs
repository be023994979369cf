//! Which libtorch this is, and where it can compute.

use tch::Device;

use crate::{ModelError, Result};

/// Returns the first NVIDIA GPU.
///
/// # Errors
/// [`ModelError::NoCuda`] if this libtorch or machine has none.
pub fn cuda() -> Result<Device> {
    match tch::Cuda::is_available() {
        true => Ok(Device::Cuda(0)),
        false => Err(ModelError::NoCuda),
    }
}

/// Returns the version of libtorch and the number of GPUs that it sees, for `--version`.
pub fn libtorch() -> String {
    let version = env!("PAIRMILL_LIBTORCH_VERSION");
    let devices = match tch::Cuda::is_available() {
        true => tch::Cuda::device_count(),
        false => 0,
    };
    format!("libtorch {version} (CUDA devices: {devices})")
}
