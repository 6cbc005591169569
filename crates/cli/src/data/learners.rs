//! What learns, where settings are advised.

/// Largest learning rate.
pub(crate) const RATE: f64 = 0.1;

/// What learns, as far as somebody asked for it; nobody did by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learners {
    /// Layers of a stack.
    pub(crate) depth: Option<usize>,
    /// The rates that the hidden units of the layers bear, from the bottom, the last for all above; none is [`RATE`].
    pub(crate) rates: Vec<f64>,
    /// Adam, whose steps do not grow with what is on.
    pub(crate) adam: bool,
    /// The lowest layer's hidden units are rectified, and start by a rule of their own.
    pub(crate) rectified: bool,
    /// Some hidden units of the lowest layer are real: Gaussian, ReLU or dReLU units.
    pub(crate) real: bool,
    /// The hidden units of one RBM say how many they are.
    pub(crate) counted: bool,
}

impl Learners {
    /// The rate that the hidden units of a layer bear.
    pub(crate) fn rate(&self, layer: usize) -> f64 {
        self.rates.get(layer).or(self.rates.last()).copied().unwrap_or(RATE)
    }
}
