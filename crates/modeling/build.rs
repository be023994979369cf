//! Gives every program that links libtorch a run path to it, so that it starts without
//! `LD_LIBRARY_PATH`. Shared by the crates that make executables or tests with libtorch.

fn main() {
    // What torch-sys says; where no such line stands, cargo runs this whenever a file of the
    // package has changed.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
        // Where `make install` puts it, seen from the program.
        let beside = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
            Ok("macos") => "@loader_path/../lib/pairmill",
            _ => "$ORIGIN/../lib/pairmill",
        };
        println!("cargo:rustc-link-arg=-Wl,-rpath,{beside}");
    }
}
