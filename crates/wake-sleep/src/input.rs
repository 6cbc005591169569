//! What a tuning reads: minibatches with their labels, and what of them is refused.

use crate::error::{Error, Result};
use crate::net::Net;
use deepbelief_kernels::{Batch, Minibatches};
use deepbelief_rbm::Error as RbmError;

/// A minibatch and, where the data have them, its labels.
#[derive(Default)]
pub(crate) struct Labelled {
    pub(crate) v: Batch,
    pub(crate) y: Vec<u32>,
}

impl Labelled {
    pub(crate) fn fetch(&mut self, data: &mut dyn Minibatches, index: usize) {
        data.fill(index, &mut self.v);
        self.y.clear();
        self.y.extend_from_slice(data.labels().unwrap_or_default());
    }
}

impl Net {
    /// Refuses data of another width.
    pub(crate) fn check_units(&self, what: &str, got: usize) -> Result<()> {
        let expected = self.visible();
        if got == expected {
            return Ok(());
        }
        Err(RbmError::Shape { what: what.into(), got: vec![got], expected: vec![expected] }.into())
    }

    /// Refuses fixed samples that do not fit.
    pub(crate) fn check_samples(&self, what: &'static str, samples: &Batch, labels: &[u32]) -> Result<()> {
        self.check_units(what, samples.units())?;
        self.check_labels(what, samples.rows(), labels)
    }

    /// Refuses labels that the label group cannot learn from.
    pub(crate) fn check_labels(&self, what: &'static str, samples: usize, labels: &[u32]) -> Result<()> {
        let classes = self.top.classes();
        if classes == 0 {
            return Ok(());
        }
        if labels.is_empty() && samples > 0 {
            return Err(Error::NoLabels { what });
        }
        if labels.len() != samples {
            let (got, expected) = (vec![labels.len()], vec![samples]);
            return Err(RbmError::Shape { what: format!("labels of the {what}"), got, expected }.into());
        }
        match labels.iter().position(|&label| label as usize >= classes) {
            Some(entry) => Err(Error::Label { got: labels[entry], entry, what, classes }),
            None => Ok(()),
        }
    }
}
