//! Settings of a stack and of its greedy training. The defaults are the recipe of `dbn stack`.

use crate::dbn::MAX_DEPTH;
use crate::error::{Error, Result, require};
use deepbelief_kernels::{MAX_UNITS, philox};
use deepbelief_rbm::{Layers, RbmConfig, TrainConfig, UnitMix, Units, VisibleBias};
use serde::{Deserialize, Serialize};

/// What a layer passes to the one above it while that one trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Propagate {
    /// Its hidden probabilities (Hinton, Osindero & Teh 2006, section 6): less noise, but less
    /// spread than the states have, and no guarantee for the variational bound.
    #[default]
    Probabilities,
    /// Binary states drawn from them: once where they are kept, again at every presentation where
    /// they are computed again (see [`crate::plan`]).
    Samples,
}

/// Where the parameters of a layer start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Small random weights.
    #[default]
    Random,
    /// The layer below upside down: its transposed weights, its biases exchanged. The layer must
    /// have at least as many hidden units as the layer below has visible ones; those left over
    /// start with small random weights. A stack that starts so is the same model of the data as
    /// the layer below alone (of units left over but for terms of second order in their weights),
    /// and what the new layer learns from samples raises the variational bound (Hinton, Osindero
    /// & Teh 2006, section 4).
    Transposed,
}

/// One layer of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerConfig {
    /// Hidden units.
    pub hidden: usize,
    /// What they are; other than Bernoulli ones only at the top.
    pub hidden_units: UnitMix,
    /// Where the parameters start.
    pub start: Start,
    /// Standard deviation of random initial weights.
    pub weight_std: f64,
    /// Where the biases of the units below start, if the weights are random.
    pub visible_bias: VisibleBias,
    /// Samples in a batch if the input of this layer is cached; by default as many as in the
    /// batches of the data. The bottom layer and recomputed input always keep those.
    pub batch_size: Option<usize>,
    /// The training. Its `seed` and `threads` are those of the stack.
    #[serde(flatten)]
    pub train: TrainConfig,
}

impl Default for LayerConfig {
    fn default() -> Self {
        let RbmConfig { hidden, hidden_units, weight_std, visible_bias, .. } = RbmConfig::default();
        let train = TrainConfig::default();
        Self { hidden, hidden_units, start: Start::default(), weight_std, visible_bias, batch_size: None, train }
    }
}

/// A deep belief net and its greedy training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StackConfig {
    /// What the visible units are; if absent, all are Bernoulli.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_units: Option<Units>,
    /// The layers, from the bottom.
    pub layers: Vec<LayerConfig>,
    /// What a layer passes upward.
    pub propagate: Propagate,
    /// Classes of the label, a visible unit of the top layer; none trains without labels.
    pub classes: Option<usize>,
    /// Whether each batch of cached input holds every class in the proportion of the data set,
    /// as nearly as whole samples allow. Needs `classes`.
    pub balanced: bool,
    /// Bytes that the cached input of a layer may take: see [`crate::plan`]. The form in which
    /// input is kept has a share in the result, so this is a setting and not the memory that
    /// happens to be free.
    pub cache_bytes: u64,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Threads; 0 takes one a core. The result does not depend on it.
    pub threads: usize,
}

impl Default for StackConfig {
    fn default() -> Self {
        let train = TrainConfig { final_learning_rate: 0.01, weight_cost: 2e-4, ..TrainConfig::default() };
        let mut layers = Self::layers_of(&[500, 500, 2000], &train);
        // A sharper top tells the classes better, and generates fewer blank samples.
        if let Some(top) = layers.last_mut() {
            top.train.cd_steps = "10x20+25".parse().expect("two phases");
        }
        Self {
            visible_units: None,
            layers,
            propagate: Propagate::default(),
            classes: None,
            balanced: false,
            cache_bytes: 1 << 30,
            seed: 1,
            threads: 0,
        }
    }
}

impl StackConfig {
    /// Layers of so many hidden units, from the bottom, all trained alike.
    #[must_use]
    pub fn of_layers(hidden: &[usize], train: &TrainConfig) -> Self {
        Self { layers: Self::layers_of(hidden, train), ..Self::default() }
    }

    fn layers_of(hidden: &[usize], train: &TrainConfig) -> Vec<LayerConfig> {
        let layer = |&hidden: &usize| LayerConfig { hidden, train: train.clone(), ..LayerConfig::default() };
        hidden.iter().map(layer).collect()
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::LayerConfig`] names the first field out of range.
    pub fn validate(&self) -> Result<()> {
        let depth = self.layers.len();
        require((1..=MAX_DEPTH).contains(&depth), "number of layers", depth, format!("between 1 and {MAX_DEPTH}"))?;
        if let Some(classes) = self.classes {
            require((2..=MAX_UNITS).contains(&classes), "classes", classes, format!("between 2 and {MAX_UNITS}"))?;
        }
        deepbelief_training::validate_threads(self.threads)?;
        require(!self.balanced || self.classes.is_some(), "balanced", true, "false where there are no classes")?;
        for (layer, config) in self.layers.iter().enumerate() {
            let wrong = |source| Error::LayerConfig { layer, source };
            config.rbm(self.seed).validate().map_err(wrong)?;
            config.train.validate().map_err(wrong)?;
            require(config.batch_size != Some(0), "batch_size", 0, "at least 1")?;
            let mirrored = config.start == Start::Random || layer > 0;
            require(mirrored, "start", "transposed", "random in layer 1, which has no layer below it")?;
            let mirrored = config.start == Start::Random || layer != 1 || self.visible_units.is_none();
            let expected = "random in layer 2, which would mirror visible units that are not bernoulli";
            require(mirrored, "start", "transposed", expected)?;
            if !config.hidden_units.is_bernoulli() {
                self.validate_others(layer)?;
            }
            let visible = self.visible_units.clone().filter(|_| layer == 0);
            if !config.hidden_units.is_bernoulli() || visible.is_some() {
                let visible = visible.unwrap_or_default();
                config.train.validate_for(&config.units(visible)).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// Checks what depends on the number of visible units: those that are listed are as many, and a layer that starts
    /// transposed has at least as many hidden units as the layer below has visible ones.
    ///
    /// # Errors
    /// [`Error::Config`] names the first layer that has not.
    pub fn validate_on(&self, visible: usize) -> Result<()> {
        let listed = self.visible_units.as_ref().map_or(visible, Units::columns);
        require(listed == visible, "visible units", visible, format!("{listed}, those that are listed"))?;
        let mut below = [visible].into_iter().chain(self.layers.iter().map(|layer| layer.hidden));
        for (layer, config) in self.layers.iter().enumerate().skip(1) {
            let Some(mirrored) = below.next() else { break };
            let fits = config.start == Start::Random || config.hidden >= mirrored;
            let expected =
                format!("at least {mirrored}, the units it mirrors, where layer {} starts transposed", layer + 1);
            require(fits, "hidden", config.hidden, expected)?;
        }
        Ok(())
    }

    /// Checks a layer of other than Bernoulli hidden units.
    fn validate_others(&self, layer: usize) -> Result<()> {
        let (depth, config) = (self.layers.len(), &self.layers[layer]);
        if layer + 1 < depth {
            let units = config.hidden_units.units(config.hidden).kinds();
            return Err(Error::OthersBelowTop { layer, depth, units });
        }
        let random = config.start == Start::Random;
        require(
            random,
            "start",
            "transposed",
            "random for other than bernoulli hidden units: the units they mirror are bernoulli",
        )?;
        Ok(())
    }

    /// The seed of a layer: the stack's own at the bottom, so that the first layer of a stack
    /// trains like an RBM by itself, and one mixed from it above, so that no two layers share
    /// their random numbers.
    #[must_use]
    pub fn layer_seed(&self, layer: usize) -> u64 {
        if layer == 0 {
            return self.seed;
        }
        let [low, high, ..] = philox([layer as u32, 0, 0, 0], [self.seed as u32, (self.seed >> 32) as u32]);
        u64::from(high) << 32 | u64::from(low)
    }

    /// The training of a layer, with the stack's seed and threads.
    pub(crate) fn train(&self, layer: usize) -> TrainConfig {
        TrainConfig { seed: self.layer_seed(layer), threads: self.threads, ..self.layers[layer].train.clone() }
    }
}

impl LayerConfig {
    /// The RBM this layer starts as, if it starts at random.
    #[must_use]
    pub fn rbm(&self, seed: u64) -> RbmConfig {
        RbmConfig {
            hidden: self.hidden,
            hidden_units: self.hidden_units.clone(),
            weight_std: self.weight_std,
            visible_bias: self.visible_bias,
            seed,
            ..RbmConfig::default()
        }
    }

    /// The units of both layers over `visible` ones.
    #[must_use]
    pub fn units(&self, visible: Units) -> Layers {
        Layers { visible, hidden: self.hidden_units.units(self.hidden) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_rbm::UnitKind;

    fn message(config: &StackConfig) -> String {
        let error = config.validate().expect_err("the settings are wrong");
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        format!("{error}{}", cause.unwrap_or_default())
    }

    #[test]
    fn a_setting_out_of_range_is_named_with_its_layer() {
        let layers = |layers| StackConfig { layers, ..Default::default() };
        assert_eq!(message(&layers(vec![])), "number of layers is 0; it must be between 1 and 64");
        let zero = LayerConfig { hidden: 0, ..Default::default() };
        assert_eq!(
            message(&layers(vec![LayerConfig::default(), zero])),
            "the settings of layer 2 do not hold: hidden is 0; it must be between 1 and 65504 units"
        );
        let slow = TrainConfig { learning_rate: 0.0, ..Default::default() };
        assert_eq!(
            message(&layers(vec![LayerConfig { train: slow, ..Default::default() }])),
            "the settings of layer 1 do not hold: learning_rate is 0; it must be a positive 32-bit number"
        );
        let transposed = LayerConfig { start: Start::Transposed, ..Default::default() };
        assert_eq!(
            message(&layers(vec![transposed])),
            "start is transposed; it must be random in layer 1, which has no layer below it"
        );
        let empty = LayerConfig { batch_size: Some(0), ..Default::default() };
        assert_eq!(message(&layers(vec![empty])), "batch_size is 0; it must be at least 1");
        let one = StackConfig { classes: Some(1), ..Default::default() };
        assert_eq!(message(&one), "classes is 1; it must be between 2 and 65504");
        let unbalanced = StackConfig { balanced: true, ..Default::default() };
        assert_eq!(message(&unbalanced), "balanced is true; it must be false where there are no classes");
    }

    #[test]
    fn gaussian_units_stand_at_the_top_alone() {
        let gaussian = || LayerConfig { hidden_units: UnitKind::Gaussian.into(), ..Default::default() };
        let stack = |layers, classes| StackConfig { layers, classes, ..Default::default() };
        assert!(stack(vec![LayerConfig::default(), gaussian()], None).validate().is_ok());
        assert!(stack(vec![gaussian()], None).validate().is_ok());
        assert_eq!(
            message(&stack(vec![gaussian(), LayerConfig::default()], None)),
            "layer 1 has gaussian hidden units, but only the top layer of a stack of 2 can have such: the layers above \
             the lowest take Bernoulli units from below"
        );
        assert!(stack(vec![gaussian()], Some(3)).validate().is_ok());
        let mirrored = LayerConfig { start: Start::Transposed, ..gaussian() };
        assert_eq!(
            message(&stack(vec![LayerConfig::default(), mirrored], None)),
            "start is transposed; it must be random for other than bernoulli hidden units: the units they mirror are \
             bernoulli"
        );
        let sparse = TrainConfig { sparsity_cost: 0.1, ..Default::default() };
        assert_eq!(
            message(&stack(vec![LayerConfig { train: sparse, ..gaussian() }], None)),
            "the settings of layer 1 do not hold: sparsity_cost is 0.1; it must be 0 unless hidden units are bernoulli: \
             others have no probability"
        );
    }

    /// Equal seeds would make two layers draw the same numbers at the same step; a sum of seed
    /// and layer would make neighbouring seeds share them.
    #[test]
    fn layers_and_seeds_do_not_share_seeds() {
        let mut seeds = Vec::new();
        for seed in 0..20 {
            let config = StackConfig { seed, ..Default::default() };
            assert_eq!(config.layer_seed(0), seed);
            seeds.extend((0..20).map(|layer| config.layer_seed(layer)));
        }
        let count = seeds.len();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), count);
    }
}
