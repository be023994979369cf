//! Says where `make setup` puts ONNX Runtime, so that programs built in the workspace find it.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PAIRMILL_DEPS");
    let deps = match std::env::var_os("PAIRMILL_DEPS") {
        Some(deps) => PathBuf::from(deps),
        None => {
            let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
            let workspace = PathBuf::from(manifest).join("../..");
            workspace.canonicalize().unwrap_or(workspace).join(".deps")
        }
    };
    let lib = deps.join("onnxruntime").join("lib");
    println!("cargo:rustc-env=PAIRMILL_ONNXRUNTIME_LIB={}", lib.display());
}
