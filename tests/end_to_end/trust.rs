//! Data and models of others, and a machine that gives little: what is not asked for is not opened, what has no end
//! gets one, and what there is no room for is refused before it starts.
#![cfg(unix)]

use crate::resume::start;
use crate::{DEEP, Place, SMALL, stderr};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// One error that contains `parts`, and no panic.
fn refused(output: &Output, parts: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "'{part}' in {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

/// `dbn`, or another program, in a shell that first runs `before`.
fn shell(place: &Place, before: &str, program: &str, words: &str) -> Command {
    let ours = place.command(words);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{before} exec \"$0\" \"$@\"")]);
    shell.arg(program).args(ours.get_args()).current_dir(place.folder.path());
    for (name, _) in ours.get_envs() {
        shell.env_remove(name);
    }
    shell
}

fn dbn(place: &Place, before: &str, words: &str) -> Output {
    shell(place, before, env!("CARGO_BIN_EXE_dbn"), words).output().unwrap()
}

/// A model alone may name what it likes; in its run's folder, or beside its data, it names its own.
#[test]
fn data_that_a_model_names_are_opened_only_if_they_are_its_own() {
    let place = Place::new();
    std::fs::create_dir(place.path("pack")).unwrap();
    std::fs::create_dir(place.path("alone")).unwrap();
    std::fs::copy(place.path("bits.csv"), place.path("pack/bits.csv")).unwrap();
    place.stack("r", "");
    place.ok(&format!("stack -q --out other {DEEP} --data csv:pack/bits.csv"));
    std::fs::copy(place.path("r/model.safetensors"), place.path("alone/model.safetensors")).unwrap();
    std::fs::copy(place.path("other/model.safetensors"), place.path("pack/model.safetensors")).unwrap();
    let verbs = [
        "encode MODEL --split train --out x.csv",
        "eval MODEL --split train --draws 2",
        "classify MODEL --split train",
        "reconstruct MODEL --split train --image-size 3x3 --out x.png",
        "tune MODEL --top-steps 1x1 --valid 0 --patience 0 --force --out t",
        "finetune MODEL --epochs 1 --valid 0 --patience 0 --force --out f",
    ];
    for verb in verbs {
        let words = |model: &str| verb.replace("MODEL", model);
        place.ok(&words("r"));
        place.ok(&words("pack/model.safetensors"));
        let alone = words("alone/model.safetensors");
        refused(
            &place.run(&alone),
            &["alone/model.safetensors names 'csv:bits.csv' as its data", "add --data csv:bits.csv"],
        );
        place.ok(&format!("{alone} --data csv:bits.csv --label-column last"));
    }
}

/// Devices are nobody's own, even where the settings beside the model name them too.
#[test]
fn devices_are_not_opened_for_a_model() {
    let place = Place::new();
    std::fs::copy(place.path("bits.csv"), place.path("data1.csv")).unwrap();
    place.ok(&format!("pretrain -q --out r {SMALL} --data csv:data1.csv"));
    for name in ["r/model.safetensors", "r/config.toml"] {
        let bytes = place.read(name);
        let (from, to) = (b"csv:data1.csv", b"csv:/dev/zero");
        let at = bytes.windows(from.len()).position(|bytes| bytes == from).unwrap();
        std::fs::write(place.path(name), [&bytes[..at], to, &bytes[at + from.len()..]].concat()).unwrap();
    }
    refused(&place.run("encode r --split train --out x.csv"), &["r names 'csv:/dev/zero' as its data"]);
    refused(&place.run("pretrain --resume r --epochs 9"), &["the run's data 'csv:/dev/zero' are no file"]);
}

/// Files that a command is given are files: what has no end is not read to it.
#[test]
fn models_and_recipes_are_files() {
    let place = Place::new();
    refused(&place.run("import /dev/zero --out x.safetensors"), &["/dev/zero", "it is no regular file"]);
    refused(
        &place.run("pretrain --config /dev/zero --out r"),
        &["cannot read the recipe /dev/zero", "longer than 16 MiB"],
    );
}

#[test]
fn what_has_no_end_comes_to_one() {
    let place = Place::new();
    let train = |source: &str| format!("pretrain -q --out r --valid 0 --max-memory 80 --data {source}");
    refused(&place.run(&train("csv:/dev/zero")), &["/dev/zero is a binary file, no table of text"]);
    refused(&place.run(&train("npy:/dev/zero")), &["/dev/zero: not a readable npy file"]);
    refused(&place.run(&train("safetensors:/dev/zero")), &["/dev/zero: not a readable safetensors file"]);
    refused(&dbn(&place, "yes 0,1 |", &train("csv:/dev/stdin")), &["the data take more than 24 MiB of memory"]);
    let commas = dbn(&place, "yes , | tr -d '\\n' |", "check csv:/dev/stdin");
    refused(&commas, &["line 1 has more than 65505 fields"]);
    assert_eq!(place.listing().iter().filter(|name| name.starts_with('r')).count(), 0);
}

/// A file is refused by its first megabyte, before the memory is full.
#[test]
fn a_csv_file_that_would_not_fit_is_refused_by_its_start() {
    let place = Place::new();
    std::fs::write(place.path("large.csv"), "0,1,0,1\n".repeat(3_000_000) + "broken\n").unwrap();
    let output = place.run("pretrain -q --out r --valid 0 --max-memory 80 --data csv:large.csv");
    refused(&output, &["large.csv: the data take more than 24 MiB of memory", "uncompressed IDX or npy"]);
}

/// A limit on addresses or data is part of what there is: a refusal before the start, no abort in the middle.
#[cfg(target_os = "linux")]
#[test]
fn limits_of_the_process_are_heeded() {
    let place = Place::new();
    std::fs::write(place.path("large.csv"), "0,1,0,1\n".repeat(4_000_000)).unwrap();
    for limit in ["ulimit -v 1000000;", "ulimit -d 700000;"] {
        let large = dbn(&place, limit, "pretrain -q --out r --hidden 60000 --threads 2");
        refused(&large, &["the training takes about", "(80 % of what is free)", "it would fit with --hidden"]);
        let small = "pretrain -q --out small --force --hidden 5 --epochs 1 --data csv:bits.csv --label-column last";
        let small = dbn(&place, limit, &format!("{small} --threads 2"));
        assert!(small.status.success(), "{}", stderr(&small));
    }
    let csv = dbn(&place, "ulimit -v 300000;", "pretrain -q --out r --data csv:large.csv --threads 1");
    refused(&csv, &["MiB of memory"]);
}

/// Where no thread can be started that is one error. (The superuser may always start one.)
#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_threads_is_told() {
    let place = Place::new();
    std::fs::set_permissions(place.folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_dbn"), place.path("dbn")).unwrap();
    let user = Command::new("id").arg("-u").output().unwrap().stdout;
    let program = place.path("dbn").display().to_string();
    for words in ["show model.safetensors", "pretrain --data csv:bits.csv --label-column last --out r", "selftest"] {
        let mut command = shell(&place, "ulimit -p 1 2>/dev/null || ulimit -u 1;", &program, words);
        if user == b"0\n" {
            command.uid(65_534);
        }
        refused(&command.output().unwrap(), &["cannot start ", "thread", "ulimit -u"]);
    }
}

/// `--threads` counts all threads that compute: those of a pool of the training's own, and those of all else.
#[cfg(target_os = "linux")]
#[test]
fn threads_bind_every_pool() {
    let place = Place::new();
    let mut child = start(&place, &format!("pretrain -q --out r {SMALL} --epochs 100000 --threads 1"), 2);
    let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().count();
    child.kill().unwrap();
    child.wait().unwrap();
    // The program, one of the training, one of everything else, and one that waits for Ctrl-C.
    assert_eq!(threads, 4);
}

/// Samples that are read from the disk are those that the training was started on, or the training ends.
#[test]
fn data_rewritten_under_a_training_end_it() {
    let place = Place::new();
    place.write_npy("large.npy", 150_000, 64);
    let words =
        "pretrain --hidden 16 --epochs 4000 --data npy:large.npy --valid 1000 --max-memory 66 --out r --save-every 1";
    let child = start(&place, words, 1);
    let file = std::fs::File::options().write(true).open(place.path("large.npy")).unwrap();
    file.write_all_at(&vec![9; 5_000_000], 1_000_000).unwrap();
    let output = child.wait_with_output().unwrap();
    refused(&output, &["large.npy: the file was changed while it was in use"]);
    refused(&place.run("pretrain --resume r"), &["the data 'npy:large.npy' have changed since the run was started"]);
    place.write_npy("large.npy", 150_000, 64);
    let epochs = place.text("r/metrics.jsonl").lines().count();
    place.ok(&format!("pretrain -q --resume r --epochs {}", epochs + 1));
}

/// Data are known by their hash, wherever they lie, and test data have one too.
#[test]
fn a_run_goes_on_with_data_that_have_moved_and_with_no_others() {
    let place = Place::new();
    let more = "--hidden 8 --schedule constant --epochs 2 --batch-size 7 --valid 11";
    place.ok(&format!("pretrain -q --out r --data idx:bars {more}"));
    let layers = "--layers 8,7 --epochs 2 --batch-size 7 --valid 11";
    place.ok(&format!("stack -q --out deep --data idx:bars {layers}"));
    let provenance = place.json("show r --json")["header"]["provenance"].clone();
    let hash = provenance["test_sha256"].as_str().unwrap();
    assert!(hash.len() == 64 && provenance["dataset_sha256"] != hash);
    std::fs::rename(place.path("bars"), place.path("moved")).unwrap();
    refused(&place.run("pretrain --resume r --epochs 3"), &["bars"]);
    place.ok("pretrain -q --resume r --epochs 3 --data idx:moved");
    place.ok("stack -q --resume deep --data idx:moved");
    place.ok(&format!("pretrain -q --out whole --data idx:moved {more} --epochs 3"));
    assert_eq!(place.tensors("r/model.safetensors"), place.tensors("whole/model.safetensors"));
    // From now on the run knows where they are.
    place.ok("pretrain -q --resume r --epochs 4");
    let name = "moved/t10k-images-idx3-ubyte";
    let mut test = place.read(name);
    *test.last_mut().unwrap() ^= 1;
    std::fs::write(place.path(name), test).unwrap();
    for words in ["pretrain --resume r --epochs 5", "stack --resume deep"] {
        refused(&place.run(words), &["the test data 'idx:moved' have changed since the run was started"]);
    }
    refused(&place.run("pretrain --resume r --epochs 5 --data csv:bits.csv"), &["csv:bits.csv"]);
}
