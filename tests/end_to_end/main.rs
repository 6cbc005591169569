//! The binary as a user runs it: every test starts `dbn` in a folder of its own.

mod alignments;
mod book;
mod build;
mod candle_alone;
mod candle_programs;
mod check;
mod classes;
mod classify;
mod clock;
mod damage;
mod desk;
mod disk;
mod eval;
mod exchange;
mod finetune;
mod folders;
mod gaussian;
mod golden;
mod habits;
mod hub;
mod interrupts;
mod killed;
mod laboratory;
mod lock;
mod mixed;
mod numbers;
mod outputs;
mod page;
mod python;
mod refusals;
mod report;
mod resume;
mod sample;
mod scoring;
mod shipped;
mod stack;
mod tables;
mod training;
mod trust;
mod tune;
mod units;
mod using;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder to run `dbn` in, with small data sets.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// `bits.csv`: 90 labelled samples of nine binary columns, three noisy patterns.
    /// `bars`: 60 training and 20 test pictures of 6 x 5 grey pixels as IDX files.
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(place.path("bits.csv"), bits_csv()).unwrap();
        let bars = place.path("bars");
        std::fs::create_dir(&bars).unwrap();
        for (name, samples, first) in [("train", 60, 0), ("t10k", 20, 60)] {
            let [images, labels] = idx(samples, first);
            std::fs::write(bars.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
            std::fs::write(bars.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `dbn` with these words, ready to start, undisturbed by the caller's environment.
    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbn"));
        command.args(words.split_whitespace()).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DBN_") || name == "COLUMNS" {
                command.env_remove(name);
            }
        }
        command
    }

    fn run(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs what must succeed; returns stdout.
    fn ok(&self, words: &str) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "dbn {words}\n{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Trains on `bits.csv` into `out`; `more` may say more.
    fn train(&self, out: &str, more: &str) {
        self.ok(&format!("pretrain -q --out {out} {SMALL} {more}"));
    }

    /// Trains three layers with labels on `bits.csv` into `out`; `more` may say more.
    fn stack(&self, out: &str, more: &str) {
        self.ok(&format!("stack -q --out {out} {DEEP} {more}"));
    }

    /// The values of a labelled CSV file without its last column, row-major.
    fn inputs(&self, name: &str) -> Vec<f32> {
        let text = self.text(name);
        let inputs = text.lines().map(|line| line.rsplit_once(',').unwrap().0);
        inputs.flat_map(|line| line.split(',').map(|x| x.parse::<f32>().unwrap())).collect()
    }

    /// The same as a file of its own.
    fn write_inputs(&self, name: &str, out: &str) {
        let text = self.text(name);
        let inputs: Vec<&str> = text.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
        std::fs::write(self.path(out), inputs.join("\n")).unwrap();
    }

    /// A NumPy file of pseudo-random bytes [samples, units], one pixel in four not zero.
    fn write_npy(&self, name: &str, samples: usize, units: usize) {
        let bytes = numbers(7).take(samples * units).map(|x| if x % 4 == 0 { (x / 4) as u8 } else { 0 });
        self.write_array(name, "|u1", samples, units, bytes);
    }

    /// The same of these numbers.
    fn write_values(&self, name: &str, samples: usize, values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes());
        self.write_array(name, "<f4", samples, values.len() / samples, bytes);
    }

    fn write_array(&self, name: &str, kind: &str, samples: usize, units: usize, bytes: impl Iterator<Item = u8>) {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({samples}, {units}), }}");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.extend(bytes);
        std::fs::write(self.path(name), file).unwrap();
    }

    fn json(&self, words: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(words)).unwrap()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The tensors of a checkpoint, by name, as bytes.
    fn tensors(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let bytes = self.read(name);
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        file.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect()
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Every file and folder below this place, by its path from here.
    fn listing(&self) -> Vec<String> {
        fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                found.push(path.strip_prefix(root).unwrap().display().to_string());
                if path.is_dir() {
                    walk(root, &path, found);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), self.folder.path(), &mut found);
        found.sort();
        found
    }
}

/// A training that takes no time. What the tests compare is said here, so that the built-in
/// recipe may be tuned.
const SMALL: &str = "--data csv:bits.csv --label-column last --hidden 8 --epochs 2 --batch-size 7 --valid 11 \
                     --schedule constant --learning-rate 0.1 --momentum-switch 5";

/// The same of a deep belief net, trained until it tells some labels but not all.
const DEEP: &str = "--data csv:bits.csv --label-column last --layers 8,7,12 --epochs 9,9,30 --batch-size 7 --valid 11 \
                    --schedule constant --learning-rate 0.2 --momentum-switch 5";

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The same pseudo-random numbers on every machine (a linear congruential generator).
fn numbers(seed: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(seed), |x| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)))
        .skip(1)
        .map(|x| x >> 16)
}

fn bits_csv() -> String {
    let patterns = ["111000000", "000111000", "000000111"];
    let mut noise = numbers(1);
    let mut text = String::new();
    for sample in 0..90 {
        let class = sample % 3;
        for bit in patterns[class].bytes() {
            let flip = noise.next().unwrap().is_multiple_of(10);
            let _ = write!(text, "{},", u8::from((bit == b'1') != flip));
        }
        let _ = writeln!(text, "{class}");
    }
    text
}

/// Images and labels of vertical (0) and horizontal (1) bars.
fn idx(samples: u32, seed: u32) -> [Vec<u8>; 2] {
    let (width, height) = (6, 5);
    let header = |magic: u32, sizes: &[u32]| {
        std::iter::once(magic).chain(sizes.iter().copied()).flat_map(u32::to_be_bytes).collect::<Vec<u8>>()
    };
    let mut images = header(0x803, &[samples, height, width]);
    let mut labels = header(0x801, &[samples]);
    let mut random = numbers(seed);
    for sample in 0..samples {
        let class = sample % 2;
        let place = random.next().unwrap() % height;
        for y in 0..height {
            for x in 0..width {
                let on = if class == 0 { x == place } else { y == place };
                let shade = random.next().unwrap() % 60;
                images.push((if on { 255 - shade } else { shade }) as u8);
            }
        }
        labels.push(class as u8);
    }
    [images, labels]
}
