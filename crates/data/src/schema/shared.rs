//! Values that never change, shared by all who hold them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Values of a vector of its own, or of any other owner of neighbouring values, such as another program's array.
pub struct Shared<T: 'static>(Arc<dyn AsRef<[T]> + Send + Sync>);

impl<T> Shared<T> {
    /// The values of `owner`, which lives as long as somebody holds them.
    pub fn of(owner: impl AsRef<[T]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(owner))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        (*self.0).as_ref()
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.len())
    }
}

impl<T: Send + Sync> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Self {
        Self::of(values)
    }
}
