//! Tiny random models of every architecture against the figures of the Python libraries
//! (tests/reference/architectures.py), and libtorch against ONNX Runtime.

mod classifiers;
mod encoders;
mod figures;
mod folders;
