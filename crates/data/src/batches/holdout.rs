//! Holding out validation samples, class by class.
//!
//! Of n held out among N samples, class c of `N_c` gets `n N_c / N` rounded down, and the samples
//! still missing go to the classes with the largest remainders (the lower class where equal):
//! the counts are exact and no class is off by a whole sample. Which samples of a class is
//! decided by a shuffle from the seed, row = the class.
//!
//! Where samples are in clusters, whole clusters are held out instead, in a shuffled order, each that is not too large for
//! what is left of n: n at most, and no sample has one of its cluster on the other side.

use deepbelief_kernels::{Stream, Uniforms};
use std::collections::BTreeMap;

use super::split::Split;
use crate::error::Error;

impl Split {
    /// Holds `validation` samples out, in the proportion of the classes where there are labels; of samples in clusters
    /// whole ones, of so many samples at most. Returns what is left and what was held out, both in the order they had, sharing the
    /// pixels.
    ///
    /// # Errors
    /// If `validation` is 0 or not below the number of samples, or all clusters have more.
    pub fn split_validation(&self, validation: usize, seed: u64) -> Result<(Self, Self), Error> {
        let samples = self.samples();
        if validation == 0 || validation >= samples {
            return Err(Error::Holdout { asked: validation, samples });
        }
        let uniforms = Uniforms::new(seed, Stream::Split, 0);
        let mut held = vec![false; samples];
        if let Some(clusters) = self.clusters() {
            whole(&clusters, validation, uniforms)?.into_iter().for_each(|sample| held[sample] = true);
        } else {
            let mut classes = self.by_class();
            let shares = shares(&classes.iter().map(Vec::len).collect::<Vec<_>>(), validation);
            for (class, (members, share)) in classes.iter_mut().zip(shares).enumerate() {
                uniforms.shuffle(class as u32, members);
                members[..share].iter().for_each(|&sample| held[sample as usize] = true);
            }
        }
        let (held, left): (Vec<usize>, Vec<usize>) = (0..samples).partition(|&sample| held[sample]);
        Ok((self.select(&left)?, self.select(&held)?))
    }
}

/// Samples of whole clusters, `most` at most; `clusters` has that of each sample.
fn whole(clusters: &[u32], most: usize, uniforms: Uniforms) -> Result<Vec<usize>, Error> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (sample, &cluster) in clusters.iter().enumerate() {
        members.entry(cluster).or_default().push(sample);
    }
    let mut order: Vec<u32> = members.keys().copied().collect();
    uniforms.shuffle(0, &mut order);
    let mut held = Vec::new();
    for cluster in &order {
        let of = &members[cluster];
        if held.len() + of.len() <= most {
            held.extend(of);
        }
    }
    if held.is_empty() {
        let smallest = members.values().map(Vec::len).min().unwrap_or_default();
        let (got, expected) = match members.len() {
            1 => ("one cluster of all samples".into(), "a larger share, which gives more clusters".into()),
            n => {
                let expected =
                    format!("a larger share, or {smallest} samples or more held out, which the smallest has");
                (format!("{n} clusters, each of more than {most} samples"), expected)
            }
        };
        return Err(Error::Setting { name: "valid_clusters", got, expected });
    }
    Ok(held)
}

/// Parts of `total`, below the sum of `sizes`, in the proportion of `sizes`.
fn shares(sizes: &[usize], total: usize) -> Vec<usize> {
    let all = sizes.iter().sum::<usize>() as u128;
    let exact: Vec<u128> = sizes.iter().map(|&size| size as u128 * total as u128).collect();
    let mut shares: Vec<usize> = exact.iter().map(|x| (x / all) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(exact[class] % all));
    let missing = total - shares.iter().sum::<usize>();
    by_remainder.iter().take(missing).for_each(|&class| shares[class] += 1);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked by hand: 10 of 100 in proportion 55.5 : 30.4 : 14.1 leave remainders .55 .04 .41.
    #[test]
    fn shares_are_rounded_by_the_largest_remainder() {
        assert_eq!(shares(&[555, 304, 141], 10), [6, 3, 1]);
        assert_eq!(shares(&[1, 1, 1], 2), [1, 1, 0]);
        assert_eq!(shares(&[0, 5, 0, 5], 9), [0, 5, 0, 4]);
        assert_eq!(shares(&[7], 3), [3]);
    }

    fn labelled(samples: usize) -> Split {
        // Class 0 in half of the samples, 1 in a third, 2 in a sixth.
        let labels = (0..samples).map(|i| [0, 1, 0, 1, 0, 2][i % 6]).collect();
        let bytes: Vec<u8> = (0..3 * samples).map(|i| (i * 7 % 256) as u8).collect();
        Split::new(3, bytes.into(), Some(labels)).unwrap()
    }

    #[test]
    fn classes_are_held_out_exactly_in_proportion_and_nothing_is_lost() {
        let split = labelled(600);
        let (train, valid) = split.split_validation(60, 9).unwrap();
        assert!((0..60).all(|sample| valid.row_number(sample) == valid.id(sample) as usize));
        let counts = |split: &Split| split.by_class().iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(counts(&valid), [30, 20, 10]);
        assert_eq!(counts(&train), [270, 180, 90]);
        let mut ids: Vec<u32> =
            [&train, &valid].iter().flat_map(|part| (0..part.samples()).map(|s| part.id(s))).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..600).collect::<Vec<_>>());
        for part in [&train, &valid] {
            for sample in 0..part.samples() {
                assert_eq!(part.row(sample), split.row(part.id(sample) as usize));
                assert_eq!(part.label(sample), split.label(part.id(sample) as usize));
            }
        }
    }

    #[test]
    fn the_seed_decides_which_samples() {
        let split = labelled(60);
        let ids = |seed| {
            let (_, valid) = split.split_validation(12, seed).unwrap();
            (0..12).map(|sample| valid.id(sample)).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }

    /// Clusters of 1, 2, ..., 10 samples: whichever come first, all that fit are held out, and none is divided.
    #[test]
    fn clusters_are_held_out_whole() {
        let clusters: Vec<u32> = (1..=10u32).flat_map(|size| std::iter::repeat_n(size - 1, size as usize)).collect();
        let split = Split::new(1, vec![0u8; 55].into(), None).unwrap().in_clusters(Some(clusters.clone()));
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let (train, valid) = split.split_validation(12, seed).unwrap();
            assert_eq!(train.samples() + valid.samples(), 55);
            assert!((10..=12).contains(&valid.samples()), "{}", valid.samples());
            let (train, valid) = (train.clusters().unwrap(), valid.clusters().unwrap());
            assert!(valid.iter().all(|cluster| !train.contains(cluster)));
            seen.insert(valid);
        }
        assert!(seen.len() > 5, "the seed decides which");
        let pairs = Split::new(1, vec![0u8; 6].into(), None).unwrap();
        let error = |clusters, most| {
            let split = pairs.clone().in_clusters(Some(clusters));
            split.split_validation(most, 1).unwrap_err().to_string()
        };
        let two = error(vec![0, 0, 0, 1, 1, 1], 2);
        assert!(
            two.contains("2 clusters, each of more than 2 samples") && two.contains("or 3 samples or more"),
            "{two}"
        );
        assert!(error(vec![0; 6], 2).contains("one cluster of all samples; it must be a larger share"));
    }

    #[test]
    fn data_without_labels_is_held_out_as_one_class() {
        let split = Split::new(1, vec![0u8; 10].into(), None).unwrap();
        let (train, valid) = split.split_validation(9, 0).unwrap();
        assert_eq!((train.samples(), valid.samples()), (1, 9));
    }

    #[test]
    fn holding_out_none_or_all_is_refused_with_the_numbers() {
        for asked in [0, 6, 7, usize::MAX] {
            let error = labelled(6).split_validation(asked, 0).unwrap_err().to_string();
            assert_eq!(error, format!("cannot hold out {asked} of 6 samples: ask for 1 to 5"));
        }
    }
}
