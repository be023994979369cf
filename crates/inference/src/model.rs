use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::session::builder::PrepackedWeights;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, Tensor};

use crate::tokenize::Tokens;
use crate::{InferenceError, Result, runtime};

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

/// The inputs that a BERT-like model may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Ids,
    AttentionMask,
    TokenTypeIds,
}

impl Input {
    fn of_name(name: &str) -> Option<Self> {
        match name {
            "input_ids" => Some(Self::Ids),
            "attention_mask" => Some(Self::AttentionMask),
            "token_type_ids" => Some(Self::TokenTypeIds),
            _ => None,
        }
    }
}

/// A tensor that a model gave, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Output {
    pub shape: Vec<i64>,
    pub values: Vec<f32>,
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
        let weights = PrepackedWeights::new();
        let session = open_session(path, threads, &weights)?;
        let names: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        let inputs: Option<Vec<Input>> = names.iter().map(|name| Input::of_name(name)).collect();
        let inputs = inputs
            .filter(|inputs| inputs.contains(&Input::Ids))
            .ok_or_else(|| InferenceError::UnexpectedInputs {
                path: path.to_owned(),
                found: names.join(", "),
            })?;
        Ok(Self {
            path: path.to_owned(),
            session: Mutex::new(session),
            inputs,
            output: 0,
            pad_id,
            weights,
        })
    }

    /// The same model for another thread to run, which shares most of the memory.
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

    /// The model file.
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

    /// The outputs with their types, for a message.
    pub fn describe_outputs(&self) -> String {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.outputs().iter();
        let outputs = outputs.map(|output| format!("{} {}", output.name(), output.dtype()));
        outputs.collect::<Vec<_>>().join(", ")
    }

    /// Runs a batch, each row padded to `length`.
    pub fn run(&self, rows: &[&Tokens], length: usize) -> Result<Output> {
        self.try_run(rows, length)
            .map_err(|source| InferenceError::Run {
                path: self.path.clone(),
                rows: rows.len(),
                tokens: length,
                source,
            })
    }

    fn try_run(&self, rows: &[&Tokens], length: usize) -> Result<Output, ort::Error> {
        let inputs = self
            .inputs
            .iter()
            .map(|&input| {
                let tensor = self.tensor(input, rows, length);
                Ok(Tensor::from_array(([rows.len(), length], tensor))?.into())
            })
            .collect::<Result<Vec<SessionInputValue>, ort::Error>>()?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(inputs.as_slice())?;
        let (shape, values) = outputs[self.output].try_extract_tensor::<f32>()?;
        Ok(Output {
            shape: shape.to_vec(),
            values: values.to_vec(),
        })
    }

    fn tensor(&self, input: Input, rows: &[&Tokens], length: usize) -> Vec<i64> {
        let mut tensor = Vec::with_capacity(rows.len() * length);
        for row in rows {
            let end = tensor.len() + length;
            let padding = match input {
                Input::Ids => {
                    tensor.extend(row.ids.iter().map(|&id| i64::from(id)));
                    i64::from(self.pad_id)
                }
                Input::AttentionMask => {
                    tensor.extend(row.ids.iter().map(|_| 1));
                    0
                }
                Input::TokenTypeIds => {
                    tensor.extend(row.type_ids.iter().map(|&id| i64::from(id)));
                    0
                }
            };
            tensor.resize(end, padding);
        }
        tensor
    }
}
