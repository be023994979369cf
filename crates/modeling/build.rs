//! Gives every program that links libtorch a run path to it, so that it starts without `LD_LIBRARY_PATH`.
//! Shared by the crates that make executables or tests with libtorch.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
    }
}
