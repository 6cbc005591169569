//! Errors on their way to Python: one line of what and why.

use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyValueError};
use std::error::Error;

/// An error that came of what was asked or given.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    of_system: bool,
}

/// Results of the libraries.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), of_system: false }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let (mut text, mut of_system) = (error.to_string(), false);
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            of_system |= error.is::<std::io::Error>();
            cause = error.source();
            if let Some(cause) = cause.map(ToString::to_string).filter(|cause| !text.ends_with(cause.as_str())) {
                text += ": ";
                text += &cause;
            }
        }
        Self { text, of_system }
    }
}

impl From<Failure> for PyErr {
    fn from(Failure { text, of_system }: Failure) -> Self {
        if of_system { PyOSError::new_err(text) } else { PyValueError::new_err(text) }
    }
}
