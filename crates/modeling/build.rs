//! Gives every program that links libtorch a run path to it, so that it starts without
//! `LD_LIBRARY_PATH`, and the code the version of libtorch, which has no function that tells it.
//! Shared by the crates that make executables or tests with libtorch.

use std::fs;
use std::path::Path;

fn main() {
    // What torch-sys says; where no such line stands, cargo runs this whenever a file of the
    // package has changed.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let lib = std::env::var("DEP_TCH_LIBTORCH_LIB").ok();
    let version = lib.as_deref().and_then(|lib| version(Path::new(lib)));
    let version = version.as_deref().unwrap_or("of unknown version");
    println!("cargo:rustc-env=PAIRMILL_LIBTORCH_VERSION={version}");
    if let Some(lib) = lib {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
        // Where `make install` puts it, seen from the program.
        let beside = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
            Ok("macos") => "@loader_path/../lib/pairmill",
            _ => "$ORIGIN/../lib/pairmill",
        };
        println!("cargo:rustc-link-arg=-Wl,-rpath,{beside}");
    }
}

/// Returns what the file `build-version` says, which lies beside the folder of libraries: as
/// libtorch comes and as `make setup` lays it.
fn version(lib: &Path) -> Option<String> {
    let file = lib.parent()?.join("build-version");
    let version = fs::read_to_string(&file).ok()?;
    println!("cargo:rerun-if-changed={}", file.display());
    Some(version.trim().to_owned())
}
