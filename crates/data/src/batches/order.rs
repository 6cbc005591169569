//! The order of an epoch: a function of the seed and the epoch's number alone.
//!
//! Plain: all samples, shuffled. Balanced: class c of `n_c` samples, shuffled, puts its k-th
//! sample at the place `(k + u_c) / n_c` of the epoch, with one uniform `u_c` a class and epoch.
//! Every sample still comes exactly once, and every class is spread evenly: among C classes, a
//! batch of B of n samples holds `B n_c / n` of class c to within `1 + C n_c / n`. Where the classes
//! are of equal size and C divides B, every full batch holds exactly B / C of each.

use deepbelief_kernels::{Stream, Uniforms};

/// Writes a shuffled order of `0..samples`, drawn from row 0 of the epoch's uniforms.
pub(crate) fn shuffled(samples: usize, seed: u64, epoch: u32, order: &mut Vec<u32>) {
    order.clear();
    order.extend(0..samples as u32);
    Uniforms::new(seed, Stream::Shuffle, epoch).shuffle(0, order);
}

/// Writes a class-balanced order of the samples in `classes`: offsets from row 0, class c
/// shuffled from row 1 + c.
pub(crate) fn balanced(classes: &[Vec<u32>], seed: u64, epoch: u32, order: &mut Vec<u32>) {
    let uniforms = Uniforms::new(seed, Stream::Shuffle, epoch);
    let mut placed = Vec::with_capacity(classes.iter().map(Vec::len).sum());
    for (class, samples) in classes.iter().enumerate() {
        let mut samples = samples.clone();
        uniforms.shuffle(1 + class as u32, &mut samples);
        let (offset, size) = (f64::from(uniforms.at(0, class as u32)), samples.len() as f64);
        placed.extend(samples.iter().enumerate().map(|(k, &sample)| ((k as f64 + offset) / size, sample)));
    }
    placed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.clear();
    order.extend(placed.iter().map(|&(_, sample)| sample));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(order: &[u32]) -> Vec<u32> {
        let mut order = order.to_vec();
        order.sort_unstable();
        order
    }

    #[test]
    fn orders_are_permutations_that_change_with_seed_and_epoch() {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let classes = [(0..70).collect(), (70..77).collect(), Vec::new(), (77..101).collect::<Vec<u32>>()];
        for order in [
            &(|seed, epoch, out: &mut Vec<u32>| shuffled(101, seed, epoch, out)) as &dyn Fn(u64, u32, &mut Vec<u32>),
            &|seed, epoch, out| balanced(&classes, seed, epoch, out),
        ] {
            order(1, 0, &mut a);
            assert_eq!(sorted(&a), (0..101).collect::<Vec<_>>());
            order(1, 0, &mut b);
            assert_eq!(a, b);
            for (seed, epoch) in [(1, 1), (2, 0)] {
                order(seed, epoch, &mut b);
                assert_ne!(a, b);
                assert_eq!(sorted(&b), sorted(&a));
            }
        }
    }

    /// The bound stated above, on classes of very different size, for every batch and several
    /// epochs; a plain shuffle breaks it at once (checked too, so that the test can fail).
    #[test]
    fn balanced_batches_hold_each_class_in_proportion() {
        let sizes = [500usize, 300, 37, 163];
        let (mut classes, mut label) = (Vec::new(), Vec::new());
        for (class, &size) in sizes.iter().enumerate() {
            classes.push((label.len() as u32..(label.len() + size) as u32).collect::<Vec<_>>());
            label.extend(vec![class; size]);
        }
        let worst = |order: &[u32]| {
            order.chunks_exact(100).fold(0.0f64, |worst, batch| {
                (0..4).fold(worst, |worst, class| {
                    let count = batch.iter().filter(|&&s| label[s as usize] == class).count() as f64;
                    let share = sizes[class] as f64 / 1000.0;
                    worst.max((count - 100.0 * share).abs() / (1.0 + 4.0 * share))
                })
            })
        };
        let mut order = Vec::new();
        for epoch in 0..20 {
            balanced(&classes, 7, epoch, &mut order);
            assert!(worst(&order) <= 1.0, "epoch {epoch}: {} times the bound", worst(&order));
        }
        shuffled(1000, 7, 0, &mut order);
        assert!(worst(&order) > 1.0);
    }

    #[test]
    fn classes_of_equal_size_are_exactly_balanced() {
        let classes: Vec<Vec<u32>> = (0..5).map(|class| (40 * class..40 * (class + 1)).collect()).collect();
        let mut order = Vec::new();
        balanced(&classes, 1, 3, &mut order);
        for batch in order.chunks(10) {
            for class in 0..5 {
                assert_eq!(batch.iter().filter(|&&sample| sample / 40 == class).count(), 2);
            }
        }
    }
}
