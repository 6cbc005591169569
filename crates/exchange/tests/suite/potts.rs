//! Potts models of adabmDCA: the energies of all sequences, and files that cannot be read.

use candle_core::{Device, Tensor};
use deepbelief_data::{Alphabet, Schema};
use deepbelief_exchange::{Format, Imported, Options, read, write, write_adabmdca};
use deepbelief_rbm::{Rbm, RbmConfig, Segment, UnitKind};
use deepbelief_stack::Dbn;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const SITES: usize = 3;

/// A text of fields and couplings between -1 and 1 that differ.
fn text(letters: &str) -> String {
    let mut numbers = (1..).map(|at: u32| f64::from(at * at * 7919 % 1013) / 506.5 - 1.0);
    let mut text = String::new();
    for i in 0..SITES {
        for j in i + 1..SITES {
            for (a, b) in letters.chars().flat_map(|a| letters.chars().map(move |b| (a, b))) {
                let _ = writeln!(text, "J {i} {j} {a} {b} {}", numbers.next().unwrap());
            }
        }
    }
    for i in 0..SITES {
        for a in letters.chars() {
            let _ = writeln!(text, "h {i} {a} {}", numbers.next().unwrap());
        }
    }
    text
}

/// All sequences.
fn sequences(letters: &str) -> Vec<Vec<char>> {
    let longer = |all: Vec<Vec<char>>, _: usize| -> Vec<Vec<char>> {
        all.into_iter().flat_map(|start| letters.chars().map(move |letter| [&start[..], &[letter]].concat())).collect()
    };
    (0..SITES).fold(vec![Vec::new()], longer)
}

/// `-sum_i h_i(v_i) - sum_{i<j} J_ij(v_i, v_j)`, line by line.
fn energy(text: &str, sequence: &[char]) -> f64 {
    let parameters: BTreeMap<&str, f64> = text
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect();
    let said = |name: String| parameters[name.as_str()];
    let fields: f64 = (0..SITES).map(|i| said(format!("h {i} {}", sequence[i]))).sum();
    let pairs = (0..SITES).flat_map(|i| (i + 1..SITES).map(move |j| (i, j)));
    let couplings: f64 = pairs.map(|(i, j)| said(format!("J {i} {j} {} {}", sequence[i], sequence[j]))).sum();
    -fields - couplings
}

/// Free energies of sequences whose letters are the levels in this order.
fn free_energies(dbn: &Dbn, sequences: &[Vec<char>], order: &str) -> Vec<f32> {
    let one_hot = |sequence: &Vec<char>| -> Vec<f32> {
        let levels =
            sequence.iter().flat_map(|own| order.chars().map(move |letter| f32::from(u8::from(letter == *own))));
        levels.collect()
    };
    let states: Vec<Vec<f32>> = sequences.iter().map(one_hot).collect();
    dbn.top().free_energy(&Tensor::new(states, &Device::Cpu).unwrap()).unwrap().to_vec1().unwrap()
}

fn imported(folder: &Path, text: &str) -> Imported {
    let path = folder.join("params.dat");
    std::fs::write(&path, text).unwrap();
    read(&[path], &Options::default()).unwrap()
}

/// 32-bit floats, and sums of some ten terms below ten.
fn close(free_energies: &[f32], sequences: &[Vec<char>], text: &str) {
    for (&ours, sequence) in free_energies.iter().zip(sequences) {
        let theirs = energy(text, sequence);
        assert!((f64::from(ours) - theirs).abs() < 2e-5, "{sequence:?}: ours {ours}, theirs {theirs}");
    }
}

#[test]
fn a_potts_model_is_an_rbm_of_gaussian_hidden_units_with_the_same_energies() {
    let folder = tempfile::tempdir().unwrap();
    // adabmDCA has the gap first.
    for (letters, order) in [("-ACGT", "ACGT-"), ("TGAC", "ACGT"), ("-XY", "-XY")] {
        let text = text(letters);
        let imported = imported(folder.path(), &text);
        assert_eq!(imported.sources[0].format, Format::Adabmdca);
        assert_eq!(imported.alphabet.as_ref().unwrap().letters(), order);
        let q = letters.len();
        assert_eq!(imported.model.sizes(), [SITES * q, (SITES - 1) * (q - 1)]);
        let sequences = sequences(letters);
        assert_eq!(sequences.len(), q.pow(3));
        close(&free_energies(&imported.model, &sequences, order), &sequences, &text);

        let schema: Schema = serde_json::from_value(imported.provenance().recipe["schema"].clone()).unwrap();
        assert_eq!(schema, Schema::of_alignment(order.parse().unwrap(), SITES));
    }
}

#[test]
fn what_is_written_has_the_free_energies_and_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.dat");
    let letters: Alphabet = "dna".parse().unwrap();
    let sequences = sequences(letters.letters());
    let first = imported(folder.path(), &text("-ACGT"));
    // Precisions other than 1, and biases of the hidden units.
    let parameters = first.model.top().to_parameters().unwrap();
    let mut changed = parameters.clone();
    for (at, (b, g)) in changed.hb.iter_mut().zip(&mut changed.hidden_fields.log_precision).enumerate() {
        (*b, *g) = (0.1 * at as f32 - 0.3, 0.2 - 0.05 * at as f32);
    }
    for parameters in [parameters, changed] {
        let rbm = Rbm::from_parameters(first.model.top().layers(), parameters, &Device::Cpu).unwrap();
        let dbn = Dbn::from_rbms(vec![rbm]).unwrap();
        let written = write_adabmdca(&path, &dbn, &letters).unwrap();
        assert_eq!(written[0], ("coupling_matrix".to_string(), vec![3, 5, 3, 5]));
        assert_eq!(written[1], ("bias".to_string(), vec![3, 5]));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3 * 25 + 3 * 5);
        close(&free_energies(&dbn, &sequences, "ACGT-"), &sequences, &text);
        let again = read(std::slice::from_ref(&path), &Options::default()).unwrap();
        close(&free_energies(&again.model, &sequences, "ACGT-"), &sequences, &text);
    }
}

/// The same arrays in another container have no letters, unless they stand there.
#[test]
fn arrays_of_a_potts_model_are_read_without_letters() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = |count: u32| (0..count).map(|at| f64::from(at * at * 7919 % 1013) / 1013.0).collect::<Vec<_>>();
    let arrays = [("bias", &[2, 3][..], numbers(6)), ("coupling_matrix", &[2, 3, 2, 3], numbers(36))];
    let path = crate::write_values(folder.path(), "x.safetensors", &arrays);
    let imported = read(&[path], &Options::default()).unwrap();
    assert_eq!((imported.model.sizes(), imported.alphabet), (vec![6, 2], None));
    for (shape, expected) in [(&[3, 2, 3, 2][..], "expected [2, 3, 2, 3]"), (&[6, 6], "expected [2, 3, 2, 3]")] {
        let path = crate::write(folder.path(), "y.safetensors", &[("bias", &[2, 3]), ("coupling_matrix", shape)]);
        let refusal = read(&[path], &Options::default()).unwrap_err().to_string();
        assert!(refusal.contains("'coupling_matrix' has the shape") && refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn what_is_no_potts_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = |text: &str| {
        let path = folder.path().join("f");
        std::fs::write(&path, text).unwrap();
        let message = read(&[path], &Options::default()).unwrap_err().to_string();
        message.replace(&format!("{}/", folder.path().display()), "")
    };
    let good = text("ACGT");
    assert_eq!(said(&good.replacen("J 0 1 A C ", "J 0 1 A X ", 1)), "f: line 2: the letter X has no fields");
    let cut = good.lines().take(3 * 16 + 5).collect::<Vec<_>>().join("\n");
    assert!(said(&cut).starts_with("f: there is no field of site 1, letter C"), "{}", said(&cut));
    let path: PathBuf = folder.path().join("none");
    let letters: Alphabet = "dna".parse().unwrap();
    let bits = Rbm::new(&RbmConfig { hidden: 2, ..RbmConfig::default() }, &[0.5; 5], &Device::Cpu).unwrap();
    let dbn = Dbn::from_rbms(vec![bits]).unwrap();
    let refusal = write_adabmdca(&path, &dbn, &letters).unwrap_err().to_string();
    assert!(refusal.starts_with("the model has 5 bernoulli below 2 bernoulli units, and adabmDCA has"), "{refusal}");
    let refusal = write(&path, &dbn, Format::Adabmdca).unwrap_err().to_string();
    assert_eq!(refusal, "no files of adabmDCA are written this way");
    let potts = imported(folder.path(), &good).model;
    assert_eq!(potts.visible_units().segments(), [Segment { units: UnitKind::Categorical, levels: 4, sites: SITES }]);
    let refusal = write_adabmdca(&path, &potts, &letters).unwrap_err().to_string();
    assert_eq!(refusal, "the model has 4 levels a site, and there are 5 letters");
    assert!(!path.exists());
}
