//! Tiny random models of every architecture against the figures of the Python libraries
//! (tests/reference/architectures.py), and libtorch against ONNX Runtime.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests do"
)]

mod classifiers;
mod encoders;
mod figures;
mod folders;
