//! What the verbs that use a model take of memory, in bytes: the largest of what lies there at one
//! time, as it was measured to be.

use deepbelief_data::Dataset;

/// Bytes of all samples of a data set that are in memory.
pub(crate) fn held(data: &Dataset) -> u64 {
    let test = data.test.as_ref().map_or(0, deepbelief_data::Split::bytes);
    (data.train.bytes() + test) as u64
}

/// Weights of both directions, as tensors, as bytes of their file and packed.
pub(crate) fn model(sizes: &[usize]) -> u64 {
    sizes.windows(2).map(|pair| 3 * 2 * 4 * pair[0] as u64 * pair[1] as u64).sum()
}

/// A pass of some samples through all layers: of two neighbours inputs, products, probabilities and states.
pub(crate) fn pass(sizes: &[usize], samples: usize) -> u64 {
    let widest = sizes.windows(2).map(|pair| pair[0] + pair[1]).max().unwrap_or(0);
    4 * 4 * samples as u64 * widest as u64
}

/// Annealed chains of a top with `visible` and `hidden` units: inputs of the hidden units and lists of
/// states that are on; and, while their memory is measured, states at the start and now, and what
/// differs from their means.
pub(crate) fn chains(visible: usize, hidden: usize, chains: usize) -> u64 {
    let (visible, hidden) = (visible as u64, hidden as u64);
    chains as u64 * (4 * hidden + 2 * (visible + hidden) + 3 * 4 * visible + (visible + hidden) / 4)
}

/// A ladder of temperatures of an RBM: on each rung the weights in both directions, the states of its chains, and what each
/// step of these weighs at the rungs below and above, in lists that double as they grow; of one rung at a time the inputs of
/// the hidden units, and the overlaps of half of the chains with the others.
pub(crate) fn ladder(sizes: &[usize], rungs: usize, chains: usize, steps: usize) -> u64 {
    let (rungs, chains, steps) = (rungs as u64, chains as u64, steps as u64);
    let units = sizes.iter().sum::<usize>() as u64;
    let pairs = sizes.iter().product::<usize>() as u64;
    let of_rung = 2 * 4 * pairs + 4 * chains * units + 2 * 2 * 8 * chains * steps;
    rungs * of_rung + 2 * 8 * chains * units + 8 * (chains / 2).pow(2)
}

/// Samples of a table of features that are computed, and then written in a format: as bytes once more in
/// an npy file, twice in a safetensors file, where they are gathered before; in a CSV file as some eleven
/// characters.
pub(crate) fn features(samples: usize, units: usize, format: &str) -> u64 {
    let a_value = match format {
        "csv" => 4 + 11,
        "npy" => 4 + 4,
        _ => 4 + 4 + 4,
    };
    a_value * samples as u64 * units as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums written out by hand.
    #[test]
    fn footprints_add_up() {
        assert_eq!(model(&[7, 5, 3]), 24 * (7 * 5 + 5 * 3));
        assert_eq!(pass(&[7, 5, 30], 10), 16 * 10 * 35);
        assert_eq!(chains(8, 4, 10), 10 * (16 + 24 + 96 + 3));
        assert_eq!(ladder(&[8, 4], 3, 10, 5), 3 * (256 + 480 + 1600) + 1920 + 200);
        let of = ["csv", "npy", "safetensors"].map(|format| features(10, 3, format));
        assert_eq!(of, [450, 240, 360]);
    }
}
