//! `pairmill-mine` as its users run it: files in, files out.

mod dense;
mod harness;
mod languages;
mod options;
mod promises;
mod real_data;
mod refusals;
mod resume;
mod round_trip;
mod scale;
mod texts;
