//! What the program asks of the system that systems do in unlike ways: signals, the limit of a file's size, which file
//! is at a path, and what a terminal answers. `unix` is for Linux, macOS and their like, `other` for Windows; both have the same functions.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::{answer_of_terminal, is_at, refuse_large_files, watch};
#[cfg(unix)]
pub(crate) use unix::{answer_of_terminal, is_at, refuse_large_files, watch};
