use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use half::{bf16, f16};
use ort::session::builder::PrepackedWeights;
use ort::session::{Session, SessionInputValue};
use ort::value::{
    DynValue, Outlet, PrimitiveTensorElementType, Tensor, TensorElementType, ValueType,
};
use pairmill_checkpoint::{TokenIds, refuse_foreign_data};

use crate::{InferenceError, Result, runtime};

/// Types of the numbers that a model may give.
const FLOATS: [TensorElementType; 4] = [
    TensorElementType::Float32,
    TensorElementType::Float16,
    TensorElementType::Bfloat16,
    TensorElementType::Float64,
];

/// An ONNX model that takes batches of token ids.
#[derive(Debug)]
pub(crate) struct TokenModel {
    path: PathBuf,
    // A session is run by one thread at a time; that run uses all the session's threads.
    session: Mutex<Session>,
    inputs: Vec<Input>,
    output: usize,
    pad_id: u32,
    // What the runtime has made of the weights, once for all twins.
    weights: PrepackedWeights,
}

/// An input, and the type of its numbers.
#[derive(Debug, Clone, Copy)]
struct Input {
    role: Role,
    number: Number,
}

/// The inputs that a BERT-like model may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Ids,
    AttentionMask,
    TokenTypeIds,
}

/// Types of numbers that an input may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Int64,
    Int32,
    Float32,
}

impl Role {
    fn of_name(name: &str) -> Option<Self> {
        match name {
            "input_ids" => Some(Self::Ids),
            "attention_mask" => Some(Self::AttentionMask),
            "token_type_ids" => Some(Self::TokenTypeIds),
            _ => None,
        }
    }
}

impl Input {
    fn of(path: &Path, outlet: &Outlet, role: Role) -> Result<Self> {
        let number = match element(outlet) {
            Some(TensorElementType::Int64) => Number::Int64,
            Some(TensorElementType::Int32) => Number::Int32,
            Some(TensorElementType::Float32) if role != Role::Ids => Number::Float32,
            _ => return Err(unexpected_type(path, outlet, "int64 or int32")),
        };
        Ok(Self { role, number })
    }

    /// Returns the values of a batch, each row filled up to `length`.
    fn value(
        self,
        rows: &[&TokenIds],
        length: usize,
        pad_id: u32,
    ) -> Result<SessionInputValue<'static>, ort::Error> {
        match self.number {
            Number::Int64 => self.tensor(rows, length, pad_id, i64::from),
            Number::Int32 => self.tensor(rows, length, pad_id, |id| id as i32),
            Number::Float32 => self.tensor(rows, length, pad_id, |id| id as f32),
        }
    }

    fn tensor<T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static>(
        self,
        rows: &[&TokenIds],
        length: usize,
        pad_id: u32,
        number: impl Fn(u32) -> T,
    ) -> Result<SessionInputValue<'static>, ort::Error> {
        let mut tensor = Vec::with_capacity(rows.len() * length);
        for row in rows {
            let end = tensor.len() + length;
            match self.role {
                Role::Ids => tensor.extend(row.ids.iter().map(|&id| number(id))),
                Role::AttentionMask => tensor.extend(row.ids.iter().map(|_| number(1))),
                Role::TokenTypeIds => tensor.extend(row.types.iter().map(|&id| number(id))),
            }
            tensor.resize(end, number(if self.role == Role::Ids { pad_id } else { 0 }));
        }
        Ok(Tensor::from_array(([rows.len(), length], tensor))?.into())
    }
}

fn element(outlet: &Outlet) -> Option<TensorElementType> {
    match outlet.dtype() {
        ValueType::Tensor { ty, .. } => Some(*ty),
        _ => None,
    }
}

/// Returns whether an output is of numbers that can be read, and how many dimensions it has.
pub(crate) fn floats(outlet: &Outlet) -> Option<usize> {
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => FLOATS.contains(ty).then_some(shape.len()),
        _ => None,
    }
}

fn unexpected_type(path: &Path, outlet: &Outlet, expected: &'static str) -> InferenceError {
    InferenceError::UnexpectedType {
        path: path.to_owned(),
        name: outlet.name().to_owned(),
        found: match element(outlet) {
            Some(element) => format!("{element:?}").to_lowercase(),
            None => "no tensor".to_owned(),
        },
        expected,
    }
}

/// A tensor that a model gave, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Output {
    pub shape: Vec<i64>,
    pub values: Vec<f32>,
}

impl Output {
    fn of(value: &DynValue) -> Result<Self, ort::Error> {
        let element = match value.dtype() {
            ValueType::Tensor { ty, .. } => *ty,
            _ => TensorElementType::Float32,
        };
        match element {
            TensorElementType::Float16 => Self::converted(value, f16::to_f32),
            TensorElementType::Bfloat16 => Self::converted(value, bf16::to_f32),
            TensorElementType::Float64 => Self::converted(value, |number: f64| number as f32),
            _ => Self::converted(value, |number: f32| number),
        }
    }

    fn converted<T: PrimitiveTensorElementType + Copy>(
        value: &DynValue,
        number: impl Fn(T) -> f32,
    ) -> Result<Self, ort::Error> {
        let (shape, values) = value.try_extract_tensor::<T>()?;
        Ok(Self {
            shape: shape.to_vec(),
            values: values.iter().copied().map(number).collect(),
        })
    }
}

fn open_session(path: &Path, threads: usize, weights: &PrepackedWeights) -> Result<Session> {
    let environment = runtime::environment()?;
    let build = || -> Result<Session, ort::Error> {
        // Every batch has a shape of its own, so memory planned for one is of no use to the next.
        Session::builder(environment)?
            .with_intra_threads(threads.max(1))
            .and_then(|builder| builder.with_memory_pattern(false))
            .and_then(|builder| builder.with_prepacked_weights(weights))
            .map_err(|error| ort::Error::new(error.to_string()))?
            .commit_from_file(path)
    };
    build().map_err(|error| InferenceError::BadFile {
        path: path.to_owned(),
        detail: error.to_string(),
    })
}

impl TokenModel {
    /// Loads a model file; `threads` share the work of each batch. The first output is what runs
    /// give, until another one is selected.
    pub fn open(path: &Path, threads: usize, pad_id: u32) -> Result<Self> {
        // The library must be there before anything is asked of it.
        runtime::environment()?;
        refuse_foreign_data(path)?;
        let weights = PrepackedWeights::new();
        let session = open_session(path, threads, &weights)?;
        let names: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        let roles: Option<Vec<Role>> = names.iter().map(|name| Role::of_name(name)).collect();
        let roles = roles
            .filter(|roles| roles.contains(&Role::Ids))
            .ok_or_else(|| InferenceError::UnexpectedInputs {
                path: path.to_owned(),
                found: names.join(", "),
            })?;
        let inputs = session.inputs().iter().zip(roles);
        let inputs = inputs.map(|(outlet, role)| Input::of(path, outlet, role));
        Ok(Self {
            path: path.to_owned(),
            inputs: inputs.collect::<Result<_>>()?,
            session: Mutex::new(session),
            output: 0,
            pad_id,
            weights,
        })
    }

    /// Returns the same model for another thread to run, which shares most of the memory.
    pub fn twin(&self, threads: usize) -> Result<Self> {
        Ok(Self {
            path: self.path.clone(),
            session: Mutex::new(open_session(&self.path, threads, &self.weights)?),
            inputs: self.inputs.clone(),
            output: self.output,
            pad_id: self.pad_id,
            weights: self.weights.clone(),
        })
    }

    /// Returns the model file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has runs give the first output that `wanted` says yes to; whether there is one.
    pub fn select(&mut self, wanted: impl Fn(&Outlet) -> bool) -> bool {
        let session = self.session.get_mut();
        let session = session.unwrap_or_else(PoisonError::into_inner);
        let found = session.outputs().iter().position(wanted);
        self.output = found.unwrap_or(self.output);
        found.is_some()
    }

    /// Refuses an output of other numbers than can be read.
    pub fn check_output(&self) -> Result<()> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        match session.outputs().get(self.output) {
            Some(output) if floats(output).is_none() => {
                let expected = "float32, float16, bfloat16 or float64";
                Err(unexpected_type(&self.path, output, expected))
            }
            _ => Ok(()),
        }
    }

    /// Returns the outputs with their types, for a message.
    pub fn describe_outputs(&self) -> String {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.outputs().iter();
        let outputs = outputs.map(|output| format!("{} {}", output.name(), output.dtype()));
        outputs.collect::<Vec<_>>().join(", ")
    }

    /// Runs a batch, each row padded to `length`.
    pub fn run(&self, rows: &[&TokenIds], length: usize) -> Result<Output> {
        self.try_run(rows, length)
            .map_err(|source| InferenceError::Run {
                path: self.path.clone(),
                rows: rows.len(),
                tokens: length,
                source,
            })
    }

    fn try_run(&self, rows: &[&TokenIds], length: usize) -> Result<Output, ort::Error> {
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|input| input.value(rows, length, self.pad_id));
        let inputs = inputs.collect::<Result<Vec<SessionInputValue>, ort::Error>>()?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(inputs.as_slice())?;
        Output::of(&outputs[self.output])
    }
}
