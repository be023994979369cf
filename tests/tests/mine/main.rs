//! `pairmill-mine` as its users run it: files in, files out.

mod harness;
mod promises;
mod real_data;
mod refusals;
