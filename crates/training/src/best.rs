//! The best model so far, and what it is the best by.

/// How good a model is on the validation data: the lower, the better. The error decides; the cost decides between
/// equal errors, and where a model has no error.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Score {
    /// What is wanted in the end, such as the share of wrong labels; none where the model has no such thing.
    pub error: Option<f64>,
    /// What is learned by, such as a cross-entropy.
    pub cost: f64,
}

impl Score {
    /// The score of a model that has a cost and no error.
    #[must_use]
    pub fn of_cost(cost: f64) -> Self {
        Self { error: None, cost }
    }
}

/// The best model of a training so far, by its [`Score`].
#[derive(Clone, Debug, PartialEq)]
pub struct Best<M> {
    /// The epoch it is from; 0 before the first.
    pub epoch: u32,
    /// How good it is on the validation data.
    pub score: Score,
    /// The model, on the CPU.
    pub model: M,
}
