//! One training a run folder, whichever verb asks for it and however the last one ended.
#![cfg(unix)]

use crate::resume::{signal, start};
use crate::{DEEP, Place, SMALL, stderr};

#[test]
fn a_folder_in_use_is_refused_and_a_dead_programs_is_not() {
    let place = Place::new();
    place.stack("deep", "");
    let verbs = [
        ("pretrain", format!("{SMALL} --epochs 30000")),
        ("stack", format!("{DEEP} --epochs 20000 --save-every 5")),
        ("tune", "deep --top-steps 1x9000".into()),
        ("finetune", "deep --epochs 9000".into()),
    ];
    for (verb, words) in &verbs {
        let _ = std::fs::remove_dir_all(place.path("r"));
        let mut child = start(&place, &format!("{verb} --out r {words}"), 2);
        for second in [
            format!("{verb} -q --resume r"),
            format!("{verb} -q --out r {words}"),
            format!("{verb} -q --out r --force {words}"),
            format!("pretrain -q --out r --force {SMALL}"),
        ] {
            let output = place.run(&second);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{second}: {said}");
            let expected = format!("error: the run folder r is in use by process {}\n", child.id());
            assert!(said.starts_with(&expected) && said.contains("hint: wait until it is done"), "{second}: {said}");
        }
        // Whoever only reads needs nobody's leave.
        place.ok("show r");
        place.ok("runs r");

        signal(&child, "-KILL");
        child.wait().unwrap();
        assert_eq!(place.text("r/run.lock"), format!("{}\n", child.id()), "a killed program leaves its file");
        place.ok(&format!("pretrain -q --out r --force {SMALL}"));
        assert!(!place.path("r/run.lock").exists());
    }
}
