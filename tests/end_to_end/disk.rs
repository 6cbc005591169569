//! A disk that is full, a folder that is read-only or gone while a run trains: one error, and what was
//! saved before is whole.
#![cfg(unix)]

use crate::resume::{endless, same_metrics, some_more, start};
use crate::{Place, SMALL, stderr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

/// One error that contains `parts`, and no panic.
pub(crate) fn failed(output: &Output, parts: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "'{part}' in {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

/// Runs a program where no file can grow beyond so many blocks of 512 bytes: the system then refuses a
/// write in the middle, as a full disk does, but for a signal that ends a program that does not catch it.
pub(crate) fn limited(program: &Command, blocks: u32) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    shell.arg(program.get_program()).args(program.get_args());
    if let Some(folder) = program.get_current_dir() {
        shell.current_dir(folder);
    }
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.output().unwrap()
}

/// The metrics, then a state that has grown by its chains, do not fit; with room, the run goes on from
/// what was there before.
#[test]
fn a_full_disk_leaves_the_last_save_whole() {
    let small = format!("{SMALL} --epochs 200 --save-every 1");
    let chains = format!("{SMALL} --hidden 300 --epochs 5 --save-every 1 --persistent-chains 100");
    for (words, blocks, file) in [(&small, 40, "metrics.jsonl"), (&chains, 128, "state.safetensors")] {
        let place = Place::new();
        failed(
            &limited(&place.command(&format!("pretrain -q --out r {words}")), blocks),
            &[file, "cannot write", "large"],
        );
        assert!(!place.listing().iter().any(|name| name.contains(".tmp")), "{:?}", place.listing());
        place.ok("show r");
        assert_eq!(stderr(&place.run("pretrain -q --resume r")), "");
        place.ok(&format!("pretrain -q --out whole {words}"));
        for file in ["model.safetensors", "state.safetensors"] {
            assert!(place.read(&format!("r/{file}")) == place.read(&format!("whole/{file}")), "{file}");
        }
        same_metrics(&place, place.text("whole/metrics.jsonl").lines().count());
    }
}

/// Moved away, and a file put in its place.
#[test]
fn a_folder_that_is_gone_ends_the_run_and_can_be_resumed_elsewhere() {
    for file in [false, true] {
        let place = Place::new();
        let child = start(&place, &format!("pretrain -q --out r {} --save-every 7", endless()), 20);
        std::fs::rename(place.path("r"), place.path("moved")).unwrap();
        if file {
            std::fs::write(place.path("r"), "x").unwrap();
        }
        failed(&child.wait_with_output().unwrap(), &["cannot write r/"]);
        assert_eq!(place.path("r").exists(), file, "nothing is made again");
        let epochs = some_more(&place, "moved");
        place.ok(&format!("pretrain -q --resume moved --epochs {epochs}"));
        place.ok(&format!("pretrain -q --out whole {SMALL} --epochs {epochs}"));
        assert!(place.read("moved/model.safetensors") == place.read("whole/model.safetensors"));
    }
}

/// `dbn` for a folder whose permissions are to count: they do not bind root, who lets somebody else train.
fn unprivileged(place: &Place) -> impl Fn(&str) -> Command {
    mode(place, "", 0o777);
    let program = place.path("dbn");
    std::fs::copy(env!("CARGO_BIN_EXE_dbn"), &program).unwrap();
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    move |words: &str| {
        let ours = place.command(words);
        let mut command = Command::new(&program);
        command.args(ours.get_args()).current_dir(place.folder.path()).stdout(Stdio::null()).stderr(Stdio::piped());
        for (name, _) in ours.get_envs() {
            command.env_remove(name);
        }
        if is_root {
            command.uid(65534);
        }
        command
    }
}

fn mode(place: &Place, name: &str, mode: u32) {
    std::fs::set_permissions(place.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What cannot be seen may be a run.
#[test]
fn a_folder_that_cannot_be_listed_is_not_overwritten() {
    let place = Place::new();
    let as_nobody = unprivileged(&place);
    assert!(as_nobody(&format!("pretrain -q --out r {SMALL}")).status().unwrap().success());
    let model = place.read("r/model.safetensors");
    mode(&place, "r", 0o333);
    for force in ["", "--force"] {
        let words = format!("pretrain -q --out r {SMALL} --seed 7 {force}");
        failed(&as_nobody(&words).output().unwrap(), &["cannot list r", "denied", "hint: make the folder readable"]);
        assert!(place.read("r/model.safetensors") == model);
    }
    // A resume knows its files by name.
    let resumed = as_nobody("pretrain -q --resume r --epochs 3").output().unwrap();
    assert!(resumed.status.success(), "{}", stderr(&resumed));
}

#[test]
fn a_folder_that_becomes_read_only_leaves_the_last_save_whole() {
    let place = Place::new();
    let as_nobody = unprivileged(&place);
    let mut child = as_nobody(&format!("pretrain -q --out r {} --save-every 7", endless())).spawn().unwrap();
    while std::fs::read_to_string(place.path("r/metrics.jsonl")).map_or(0, |text| text.lines().count()) < 20 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was in the way of anything");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    mode(&place, "r", 0o555);
    failed(&child.wait_with_output().unwrap(), &["cannot save epoch", "cannot write r/", "denied"]);
    failed(&as_nobody("pretrain -q --resume r").output().unwrap(), &["cannot ", "r/", "denied"]);
    mode(&place, "r", 0o755);
    let epochs = some_more(&place, "r");
    let resumed = as_nobody(&format!("pretrain -q --resume r --epochs {epochs}")).output().unwrap();
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    place.ok(&format!("pretrain -q --out whole {SMALL} --epochs {epochs}"));
    assert!(place.read("r/model.safetensors") == place.read("whole/model.safetensors"));
}
