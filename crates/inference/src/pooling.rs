use pairmill_checkpoint::{Pooling, PoolingMode};

/// Returns the vector of a text from the states of its tokens, row-major `[tokens, hidden]`,
/// padding left out, without the first `prompt` of them.
pub(crate) fn pool(pooling: &Pooling, states: &[f32], hidden: usize, prompt: usize) -> Vec<f32> {
    let mut vector = vec![0.0; pooling.dimension(hidden)];
    let parts = vector.chunks_exact_mut(hidden);
    for (mode, part) in pooling.modes.iter().zip(parts) {
        pool_by(*mode, states, prompt, part);
    }
    vector
}

/// Writes the vector of a text's states into `vector`, which is all 0.
fn pool_by(mode: PoolingMode, states: &[f32], prompt: usize, vector: &mut [f32]) {
    let mut tokens = states.chunks_exact(vector.len()).skip(prompt);
    let count = tokens.len() as f32;
    match mode {
        // A text that is all prompt has the state of its first token, as in sentence-transformers.
        PoolingMode::Cls => {
            let mut all = states.chunks_exact(vector.len());
            if let Some(token) = tokens.next().or_else(|| all.next()) {
                vector.copy_from_slice(token);
            }
        }
        PoolingMode::LastToken => {
            if let Some(token) = tokens.next_back() {
                vector.copy_from_slice(token);
            }
        }
        PoolingMode::Max => {
            vector.fill(f32::NEG_INFINITY);
            for token in tokens {
                for (largest, &value) in vector.iter_mut().zip(token) {
                    // Unlike f32::max, this keeps what is not a number.
                    if value > *largest || value.is_nan() {
                        *largest = value;
                    }
                }
            }
        }
        PoolingMode::Mean => add(tokens, |_| 1.0, count, vector),
        PoolingMode::MeanSqrtLen => add(tokens, |_| 1.0, count.sqrt(), vector),
        PoolingMode::WeightedMean => {
            // Tokens keep the weights that they have behind the prompt.
            let weight = |position| (prompt + position + 1) as f32;
            let total = (0..tokens.len()).map(weight).sum();
            add(tokens, weight, total, vector);
        }
    }
}

/// Adds up the states by weight and divides by the total.
fn add<'a>(
    tokens: impl Iterator<Item = &'a [f32]>,
    weight: impl Fn(usize) -> f32,
    total: f32,
    vector: &mut [f32],
) {
    for (position, token) in tokens.enumerate() {
        let weight = weight(position);
        for (sum, value) in vector.iter_mut().zip(token) {
            *sum += weight * value;
        }
    }
    for sum in vector {
        *sum /= total.max(1e-9);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three tokens of two components.
    const STATES: [f32; 6] = [1.0, -4.0, 3.0, -1.0, 2.0, -7.0];

    fn of(mode: PoolingMode, states: &[f32], prompt: usize) -> Vec<f32> {
        pool(&mode.into(), states, 2, prompt)
    }

    #[test]
    fn each_mode_on_three_tokens() {
        let root = 3f32.sqrt();
        for (mode, expected) in [
            (PoolingMode::Cls, [1.0, -4.0]),
            (PoolingMode::Max, [3.0, -1.0]),
            (PoolingMode::Mean, [2.0, -4.0]),
            (PoolingMode::MeanSqrtLen, [6.0 / root, -12.0 / root]),
            (PoolingMode::WeightedMean, [13.0 / 6.0, -4.5]),
            (PoolingMode::LastToken, [2.0, -7.0]),
        ] {
            assert_eq!(of(mode, &STATES, 0), expected, "{mode:?}");
        }
    }

    #[test]
    fn each_mode_without_a_prompt_of_one_token() {
        let root = 2f32.sqrt();
        for (mode, expected) in [
            (PoolingMode::Cls, [3.0, -1.0]),
            (PoolingMode::Max, [3.0, -1.0]),
            (PoolingMode::Mean, [2.5, -4.0]),
            (PoolingMode::MeanSqrtLen, [5.0 / root, -8.0 / root]),
            (PoolingMode::WeightedMean, [12.0 / 5.0, -23.0 / 5.0]),
            (PoolingMode::LastToken, [2.0, -7.0]),
        ] {
            assert_eq!(of(mode, &STATES, 1), expected, "{mode:?}");
        }
    }

    #[test]
    fn a_text_that_is_all_prompt() {
        assert_eq!(of(PoolingMode::Cls, &STATES, 3), [1.0, -4.0]);
        for mode in [
            PoolingMode::Mean,
            PoolingMode::WeightedMean,
            PoolingMode::LastToken,
        ] {
            assert_eq!(of(mode, &STATES, 3), [0.0, 0.0], "{mode:?}");
        }
    }

    #[test]
    fn several_modes_come_one_after_another() {
        let pooling = Pooling {
            modes: vec![PoolingMode::LastToken, PoolingMode::Cls],
            include_prompt: true,
        };
        assert_eq!(pool(&pooling, &STATES, 2, 0), [2.0, -7.0, 1.0, -4.0]);
    }

    #[test]
    fn what_is_not_a_number_is_not_lost() {
        let max = |states: &[f32]| pool(&PoolingMode::Max.into(), states, 1, 0)[0];
        assert!(max(&[f32::NAN, 1.0]).is_nan());
        assert!(max(&[1.0, f32::NAN]).is_nan());
    }
}
