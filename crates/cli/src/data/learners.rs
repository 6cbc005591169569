//! What learns, where settings are advised.

/// Largest learning rate.
pub(crate) const RATE: f64 = 0.1;

/// Hidden units, as far as settings depend on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// All have one of two values.
    #[default]
    Discrete,
    /// Some are Gaussian.
    Gaussian,
    /// Some are rectified, ReLU or dReLU units, and start by a rule of their own.
    Rectified,
}

/// What learns, as far as somebody asked for it; nobody did by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learners {
    /// Layers of a stack.
    pub(crate) depth: Option<usize>,
    /// The rates that the hidden units of the layers bear, from the bottom, the last for all above; none is [`RATE`].
    pub(crate) rates: Vec<f64>,
    /// Adam, whose steps do not grow with what is on.
    pub(crate) adam: bool,
    /// The hidden units of the lowest layer.
    pub(crate) hidden: Hidden,
    /// The hidden units of one RBM say how many they are.
    pub(crate) counted: bool,
    /// Gradient descent is asked for, by name.
    pub(crate) descends: bool,
}

impl Learners {
    /// The rate that the hidden units of a layer bear.
    pub(crate) fn rate(&self, layer: usize) -> f64 {
        self.rates.get(layer).or(self.rates.last()).copied().unwrap_or(RATE)
    }
}
