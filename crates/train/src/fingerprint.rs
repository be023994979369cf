//! Telling weights apart.

use tch::Tensor;

use crate::error::Result;

/// Returns a number that changes with any bit of the weights.
pub(crate) fn fingerprint(weights: &Tensor) -> Result<u64> {
    /// Weights that are copied at a time.
    const CHUNK: i64 = 1 << 20;
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let (mut start, length) = (0, weights.size()[0]);
    while start < length {
        let chunk = weights.f_narrow(0, start, CHUNK.min(length - start))?;
        let values = Vec::<f32>::try_from(chunk.detach().to_device(tch::Device::Cpu))?;
        hash = values.iter().fold(hash, |hash, value| {
            (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3)
        });
        start += CHUNK;
    }
    Ok(hash)
}
