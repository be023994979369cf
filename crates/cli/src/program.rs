use crate::OtherName;

/// What a program adds to the frame of its command line.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Returns what `--version` names below the version, one a line: the build, and the libraries
    /// with theirs. Called only where they are asked for, as it may load a library.
    pub versions: fn() -> Vec<String>,
    /// Options of other tools that have no like here.
    pub other_names: &'static [OtherName],
}
