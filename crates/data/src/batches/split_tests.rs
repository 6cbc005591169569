//! Tests of [`Split`].

use super::binarize::Binarize;
use super::split::Split;
use crate::Pixels;

fn counting(samples: usize, units: usize) -> Split {
    let bytes: Vec<u8> = (0..samples * units).map(|i| (i % 256) as u8).collect();
    Split::new(units, bytes.into(), Some((0..samples as u32).collect())).unwrap()
}

#[test]
fn bad_sizes_are_refused_with_their_numbers() {
    let message = |units, pixels, labels| Split::new(units, pixels, labels).unwrap_err().to_string();
    assert_eq!(message(3, Pixels::from(Vec::<u8>::new()), None), "samples: there are no samples");
    assert_eq!(message(0, Pixels::from(vec![1u8]), None), "samples: the samples have no columns");
    assert_eq!(message(2, Pixels::from(vec![1u8; 3]), None), "3 values do not make samples of 2 columns");
    assert_eq!(message(1, Pixels::from(vec![1u8; 3]), Some(vec![0])), "samples: 3 samples but 1 labels");
    assert_eq!(
        message(65_505, Pixels::from(vec![0u8; 65_505]), None),
        "samples: the samples have 65505 columns; a layer has at most 65504 units"
    );
    for (value, shown) in [(1.5f32, "1.5"), (-0.5, "-0.5"), (f32::NAN, "NaN")] {
        let error = message(2, Pixels::from(vec![0.0, 1.0, 0.5, value]), None);
        assert!(error.starts_with(&format!("samples: row 1, column 1 (counted from 0) is {shown},")), "{error}");
    }
}

/// Rows, labels and ids of a selection of a selection must be those of the samples chosen.
#[test]
fn selections_of_selections_keep_rows_labels_and_ids() {
    let split = counting(7, 3).numbered_from(100);
    let once = split.select(&[6, 2, 5]).unwrap();
    let twice = once.select(&[2, 0]).unwrap();
    assert_eq!(twice.samples(), 2);
    assert_eq!(twice.row(0), split.row(5));
    assert_eq!(twice.row(1), split.row(6));
    assert_eq!(twice.labels(), Some(vec![5, 6]));
    assert_eq!((twice.id(0), twice.id(1)), (105, 106));
    assert!(split.select(&[]).is_err());
}

#[test]
fn the_mean_is_that_of_the_selected_rows_in_both_kinds() {
    let bytes = Split::new(2, vec![0u8, 255, 51, 0, 102, 0].into(), None).unwrap();
    assert_eq!(bytes.mean().unwrap(), [0.2, 1.0 / 3.0]);
    assert_eq!(bytes.select(&[1, 2]).unwrap().mean().unwrap(), [0.3, 0.0]);
    let floats = Split::new(2, vec![0.0f32, 1.0, 0.5, 0.25].into(), None).unwrap();
    assert_eq!(floats.mean().unwrap(), [0.25, 0.625]);
}

/// A batch of any samples holds, sample by sample, what the batch of all samples holds:
/// draws depend on the sample's number, not on its place in the batch or the split.
#[test]
fn batches_of_subsets_agree_with_the_whole() {
    for (binarize, units) in [(Binarize::Fixed, 33), (Binarize::Fresh, 70), (Binarize::None, 5)] {
        let split = counting(9, units);
        let all = split.batch(0..9, binarize, 3).unwrap().to_values();
        let some = split.select(&[8, 1, 4]).unwrap().batch([2, 0], binarize, 3).unwrap().to_values();
        assert_eq!(some[..units], all[4 * units..5 * units]);
        assert_eq!(some[units..], all[8 * units..]);
    }
    let split = counting(9, 64);
    let batch = |binarize, seed| split.batch(0..9, binarize, seed).unwrap();
    assert_eq!(batch(Binarize::Fresh, 3), batch(Binarize::Fixed, 3));
    assert_ne!(batch(Binarize::Fixed, 3), batch(Binarize::Fixed, 4));
}
