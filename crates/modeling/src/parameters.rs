use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use pairmill_checkpoint::weight_files;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, Tensor};

use crate::adapter::{Adapter, DOWN, UP, is_adapter};
use crate::onnx::Weights;
use crate::{ModelError, Result};

const WEIGHTS: &str = "model.safetensors";

/// Maps a checkpoint's name of a tensor to ours or leaves the tensor out.
pub type Rename<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The tensors of a model under their checkpoint names.
///
/// Those that are trained, at first all, are views into one flat single-precision tensor, so that
/// an optimiser can walk memory once instead of tensor by tensor.
#[derive(Debug)]
pub struct Parameters {
    flat: Tensor,
    named: BTreeMap<String, Tensor>,
    source: PathBuf,
    lora_scale: f64,
    /// What linear layers and attention compute in.
    compute: Kind,
}

impl Parameters {
    /// Reads a safetensors file; half-precision values become single, integer buffers (such as
    /// `position_ids`, which is no parameter) are left out. `rename` maps a checkpoint's name to
    /// ours or leaves the tensor out.
    ///
    /// # Errors
    /// If the file is missing or cut short, or holds a floating-point type we do not know.
    pub fn load(
        path: &Path,
        device: Device,
        rename: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        read_file(path, &rename, &mut tensors)?;
        Self::flatten(tensors, &|_| false, device, path)
    }

    /// Reads `model.safetensors` of each folder, or the shards that `model.safetensors.index.json`
    /// lists, as one set of tensors; each folder with a renaming of its own, as in
    /// [`load`](Self::load).
    ///
    /// # Errors
    /// As [`load`](Self::load); if a folder has weights in another format only.
    pub fn load_folders(folders: &[(&Path, Rename)], device: Device) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        let mut source = PathBuf::new();
        for (n, (folder, rename)) in folders.iter().enumerate() {
            for path in weight_files(folder)? {
                read_file(&path, rename, &mut tensors)?;
            }
            if n == 0 {
                source = folder.join(WEIGHTS);
            }
        }
        Self::flatten(tensors, &|_| false, device, &source)
    }

    /// Adds tensors, such as a fresh classification head.
    ///
    /// # Errors
    /// If libtorch cannot allocate the memory.
    pub fn with(mut self, fresh: Vec<(String, Tensor)>) -> Result<Self> {
        let names: BTreeSet<String> = fresh.iter().map(|(name, _)| name.clone()).collect();
        let frozen = self.frozen_names();
        self.named.extend(fresh);
        self.laid_out(&|name| frozen.contains(name) && !names.contains(name))
    }

    /// Keeps tensors from being trained, beside those that are frozen already.
    ///
    /// # Errors
    /// If libtorch cannot allocate the memory.
    pub fn frozen(self, is_frozen: &dyn Fn(&str) -> bool) -> Result<Self> {
        let frozen = self.frozen_names();
        self.laid_out(&|name| is_frozen(name) || frozen.contains(name))
    }

    fn frozen_names(&self) -> BTreeSet<String> {
        let all = self.named.iter();
        let frozen = all.filter(|(_, tensor)| !tensor.requires_grad());
        frozen.map(|(name, _)| name.clone()).collect()
    }

    fn laid_out(self, is_frozen: &dyn Fn(&str) -> bool) -> Result<Self> {
        let (device, lora_scale, compute) = (self.flat.device(), self.lora_scale, self.compute);
        let tensors = self.named.into_iter();
        let tensors = tensors.map(|(name, tensor)| (name, tensor.detach()));
        let laid_out = Self::flatten(tensors.collect(), is_frozen, device, &self.source)?;
        Ok(Self {
            lora_scale,
            compute,
            ..laid_out
        })
    }

    fn flatten(
        tensors: BTreeMap<String, Tensor>,
        is_frozen: &dyn Fn(&str) -> bool,
        device: Device,
        source: &Path,
    ) -> Result<Self> {
        let trained = tensors.iter().filter(|(name, _)| !is_frozen(name));
        let total: i64 = trained.map(|(_, tensor)| tensor.numel() as i64).sum();
        let flat = Tensor::f_zeros([total], (Kind::Float, device))?;
        let mut named = BTreeMap::new();
        let mut offset = 0;
        for (name, tensor) in tensors {
            if is_frozen(&name) {
                // A copy, so that the memory it may be a view of is given back.
                let frozen = tensor.f_to_device(device)?.copy();
                named.insert(name, frozen.set_requires_grad(false));
                continue;
            }
            let length = tensor.numel() as i64;
            let mut view = flat
                .narrow(0, offset, length)
                .view(tensor.size().as_slice());
            tch::no_grad(|| view.f_copy_(&tensor.to_device(device)))?;
            named.insert(name, view.set_requires_grad(true));
            offset += length;
        }
        Ok(Self {
            flat,
            named,
            source: source.to_owned(),
            lora_scale: 0.0,
            compute: Kind::Float,
        })
    }

    /// Returns the tensor `name`, checked to have this shape.
    ///
    /// # Errors
    /// If it is absent or has another shape.
    pub fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let tensor = self
            .named
            .get(name)
            .ok_or_else(|| ModelError::MissingWeight {
                path: self.source.display().to_string(),
                name: name.to_owned(),
            })?;
        if tensor.size() != shape {
            return Err(ModelError::Malformed {
                path: self.source.clone(),
                detail: format!(
                    "tensor `{name}` has shape {:?}, config.json asks for {shape:?}",
                    tensor.size()
                ),
            });
        }
        Ok(tensor.shallow_clone())
    }

    /// Returns the tensor `name`, if it is there.
    pub(crate) fn tensor(&self, name: &str) -> Option<Tensor> {
        self.named.get(name).map(Tensor::shallow_clone)
    }

    /// Has linear layers and attention compute in bfloat16; weights, sums and norms stay as they
    /// are.
    pub fn in_bf16(self) -> Self {
        Self {
            compute: Kind::BFloat16,
            ..self
        }
    }

    pub(crate) fn compute_kind(&self) -> Kind {
        self.compute
    }

    /// Returns the adapter of the layer `name`, if it has one.
    pub(crate) fn adapter(&self, name: &str) -> Option<Adapter> {
        Some(Adapter {
            down: self.tensor(&format!("{name}{DOWN}"))?,
            up: self.tensor(&format!("{name}{UP}"))?,
            scale: self.lora_scale,
        })
    }

    pub(crate) fn set_lora_scale(&mut self, scale: f64) {
        self.lora_scale = scale;
    }

    /// Returns all tensors but those of adapters, whose part is added to the weights they belong
    /// to.
    fn merged(&self) -> impl Iterator<Item = (&str, Tensor)> {
        let own = self.iter().filter(|(name, _)| !is_adapter(name));
        own.map(|(name, tensor)| (name, self.merged_with_adapter(name, tensor)))
    }

    fn merged_with_adapter(&self, name: &str, tensor: &Tensor) -> Tensor {
        let layer = name.strip_suffix(".weight");
        match layer.and_then(|layer| self.adapter(layer)) {
            Some(adapter) => tch::no_grad(|| tensor + adapter.weight()),
            None => tensor.shallow_clone(),
        }
    }

    /// Returns all tensors; those that are trained in the order in which they lie in
    /// [`flat`](Self::flat).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.named
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Returns the tensors that are trained, in the order in which they lie in
    /// [`flat`](Self::flat).
    pub fn trained(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.iter().filter(|(_, tensor)| tensor.requires_grad())
    }

    /// Returns the one tensor all that are trained are views of.
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// Returns whether a tensor of this name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// Writes all tensors, adapters merged into the weights they belong to, as a safetensors file
    /// with the metadata `format: pt` that Hugging Face loaders want.
    ///
    /// # Errors
    /// If the disk is full or the path cannot be written to.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.save_some(path, |name| Some(name))
    }

    /// Does the same for the tensors that `rename` gives a name in the file.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_some(&self, path: &Path, rename: impl Fn(&str) -> Option<&str>) -> Result<()> {
        let values: Vec<(&str, Vec<usize>, Vec<f32>)> = self
            .merged()
            .filter_map(|(name, tensor)| Some((rename(name)?, tensor)))
            .map(|(name, tensor)| {
                let shape = tensor.size().iter().map(|&n| n as usize).collect();
                Ok((name, shape, to_vec(&tensor)?))
            })
            .collect::<Result<_>>()?;
        let malformed = |error: safetensors::SafeTensorError| match error {
            safetensors::SafeTensorError::IoError(source) => ModelError::Unwritable {
                path: path.to_owned(),
                source,
            },
            other => ModelError::Malformed {
                path: path.to_owned(),
                detail: other.to_string(),
            },
        };
        let views = values
            .iter()
            .map(|(name, shape, data)| {
                let bytes = bytemuck::cast_slice(data);
                Ok((
                    *name,
                    TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(malformed)?,
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize_to_file(views, Some(metadata), path).map_err(malformed)
    }
}

impl Weights for Parameters {
    fn get(&self, name: &str) -> Option<(Vec<i64>, Vec<f32>)> {
        let tensor = self.merged_with_adapter(name, self.named.get(name)?);
        Some((tensor.size(), to_vec(&tensor).ok()?))
    }
}

fn read_file(
    path: &Path,
    rename: &dyn Fn(&str) -> Option<String>,
    tensors: &mut BTreeMap<String, Tensor>,
) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|source| ModelError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let malformed = |detail: String| ModelError::Malformed {
        path: path.to_owned(),
        detail,
    };
    let file = SafeTensors::deserialize(&bytes).map_err(|error| {
        malformed(format!(
            "not a sound safetensors file ({error}); it may be cut short, fetch it again"
        ))
    })?;
    for (name, view) in file.iter() {
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            Dtype::F64 => Kind::Double,
            Dtype::I64 | Dtype::I32 | Dtype::BOOL | Dtype::U8 => continue,
            other => {
                return Err(malformed(format!(
                    "tensor `{name}` has type {other:?}; expected F32, F16 or BF16"
                )));
            }
        };
        if let Some(name) = rename(name) {
            let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
            let tensor = Tensor::f_from_data_size(view.data(), &shape, kind)?;
            tensors.insert(name, tensor.to_kind(Kind::Float));
        }
    }
    Ok(())
}

/// Copies a tensor's values to memory, row-major.
pub(crate) fn to_vec(tensor: &Tensor) -> Result<Vec<f32>> {
    let tensor = tensor.detach().to_device(Device::Cpu).contiguous();
    let mut values = vec![0f32; tensor.numel()];
    let length = values.len();
    tensor.f_copy_data(&mut values, length)?;
    Ok(values)
}
