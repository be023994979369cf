//! Finds the ONNX Runtime library and loads it, once per process.
//!
//! The places, in order: the file that `ORT_DYLIB_PATH` names (and then no other); beside the
//! program; in `../lib/pairmill` and `../lib` of it; the folder that the build was told of; the
//! system's own library.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::{InferenceError, Result};

/// The variable that names the library file.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// Why the library cannot be used, as text: the answer is kept for the life of the process.
type Tried = String;

static LOADED: OnceLock<Result<Loaded, Tried>> = OnceLock::new();

/// The library that is in use.
struct Loaded {
    environment: Environment,
    path: PathBuf,
}

/// Returns the process-wide ONNX Runtime environment; the first call loads the library.
///
/// # Errors
/// If no usable library is found; the message lists the places and what was wrong there.
pub fn environment() -> Result<&'static Environment> {
    Ok(&loaded()?.environment)
}

/// Returns the version and the file of the library, for `--version`; or, where none is found, what
/// to do.
pub fn version() -> String {
    match loaded() {
        Ok(Loaded { path, .. }) => {
            // All that can be asked of it is the minor version.
            let minor =
                ort::util::probe(path).map_or_else(String::new, |minor| format!(" 1.{minor}"));
            format!("ONNX Runtime{minor} ({})", path.display())
        }
        Err(error) => error.to_string(),
    }
}

fn loaded() -> Result<&'static Loaded> {
    let loaded = LOADED.get_or_init(load).as_ref();
    loaded.map_err(|tried| InferenceError::Runtime {
        library: library_name(),
        tried: tried.clone(),
    })
}

fn load() -> Result<Loaded, Tried> {
    let mut tried = Tried::new();
    for path in candidates() {
        let problem = match load_from(&path) {
            Ok(environment) => return Ok(Loaded { environment, path }),
            Err(problem) => problem,
        };
        tried.push_str(&format!("\n  tried {}: {problem}", path.display()));
    }
    Err(tried)
}

fn load_from(path: &Path) -> Result<Environment, String> {
    // A name alone is for the system's loader to find.
    if path.is_absolute() && !path.exists() {
        return Err("no such file".to_owned());
    }
    let builder = ort::init_from(path).map_err(|error| match error {
        LoadDynamicError::Dlopen { error, .. } => {
            let reason = error
                .source()
                .map_or(error.to_string(), ToString::to_string);
            // The loader begins with the path, which the message has already.
            let path = format!("{}: ", path.display());
            reason.strip_prefix(&path).unwrap_or(&reason).to_owned()
        }
        LoadDynamicError::BadVersion { version_str, .. } => format!("too old ({version_str})"),
        _ => "not an ONNX Runtime library".to_owned(),
    })?;
    tracing::debug!("ONNX Runtime from {}", path.display());
    // What it prints on its own repeats, less clearly, the errors that it returns.
    let logger = |_: LogLevel, _: &str, _: &str, _: &str, message: &str| {
        tracing::debug!("ONNX Runtime: {message}");
    };
    let environment = builder
        .with_name("pairmill")
        .with_telemetry(false)
        .with_logger(Arc::new(logger))
        .build()
        .map_err(|error| error.to_string())?;
    environment.set_log_level(LogLevel::Warning);
    Ok(environment)
}

/// Returns the libraries to try, in order.
fn candidates() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(named);
        return vec![std::path::absolute(&path).unwrap_or(path)];
    }
    let name = library_name();
    let mut paths = Vec::new();
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    if let Some(folder) = program.as_deref().ok().and_then(Path::parent) {
        paths.push(folder.join(&name));
        let lib = folder.parent().map(|up| up.join("lib"));
        let libs = lib.into_iter().flat_map(|lib| [lib.join("pairmill"), lib]);
        paths.extend(libs.map(|lib| lib.join(&name)));
    }
    paths.push(Path::new(env!("PAIRMILL_ONNXRUNTIME_LIB")).join(&name));
    paths.push(PathBuf::from(name));
    paths
}

fn library_name() -> String {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}")
}
