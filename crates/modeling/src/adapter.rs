use tch::Tensor;

/// What the names of an adapter's tensors end in, as the PEFT library has it.
pub(crate) const DOWN: &str = ".lora_A.weight";
pub(crate) const UP: &str = ".lora_B.weight";

/// The adapter of one layer.
#[derive(Debug)]
pub(crate) struct Adapter {
    /// `[rank, inputs]`.
    pub down: Tensor,
    /// `[outputs, rank]`.
    pub up: Tensor,
    pub scale: f64,
}

impl Adapter {
    /// Returns what it adds to the layer's output.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let narrow = x.linear::<Tensor>(&self.down.to_kind(x.kind()), None);
        narrow.linear::<Tensor>(&self.up.to_kind(x.kind()), None) * self.scale
    }

    /// Returns what it adds to the layer's weight.
    pub fn weight(&self) -> Tensor {
        self.up.matmul(&self.down) * self.scale
    }
}

/// Returns whether this is a tensor of an adapter.
pub(crate) fn is_adapter(name: &str) -> bool {
    name.ends_with(DOWN) || name.ends_with(UP)
}
