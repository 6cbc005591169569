//! The report of a run: what it shows, and that whatever is in a run folder or in data cannot break it.

use crate::{DEEP, Place, SMALL, stderr};
use serde_json::Value;
use std::fmt::Write as _;

/// What the page's script draws.
fn data(page: &str) -> Value {
    let start = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
    serde_json::from_str(&page[start..start + page[start..].find("</script>").unwrap()]).unwrap()
}

fn lines(place: &Place, run: &str) -> Vec<Value> {
    place.text(&format!("{run}/metrics.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A run of each kind. Its page names what was trained, has the metrics' own numbers, asks for nothing from elsewhere,
/// and every command that it says to type next does what it should.
#[test]
fn every_training_has_a_report_whose_figures_and_commands_hold() {
    let place = Place::new();
    let people = crate::tables::people(0..120);
    std::fs::write(place.path("people.csv"), crate::tables::text(&people, &[1, 2, 3, 4, 5], ",")).unwrap();
    place.ok("pretrain -q --data idx:bars --binarize fresh --hidden 6 --epochs 3 --valid 12 --out rbm");
    place.stack("deep", "");
    place.ok("tune -q deep --top-steps 2x1 --out tuned");
    place.ok("finetune -q deep --epochs 2 --out classifier");
    place.ok("finetune -q deep --as autoencoder --epochs 2 --out autoencoder");
    place.ok("pretrain -q --data csv:people.csv --hidden 5 --epochs 3 --label-column smokes --out table");
    let row = |k: usize| -> String {
        [k, 7 * k, k, 3 * k, k / 4, 5 * k, k].map(|n| ['A', 'C', 'D', '-'][n % 4]).into_iter().collect()
    };
    let family = (0..60).map(|k| format!(">s{k}\n{}\n", row(k))).collect::<Vec<_>>().concat();
    std::fs::write(place.path("family.fasta"), family).unwrap();
    place.ok("pretrain -q --data fasta:family.fasta --alphabet ACD- --valid 0 --hidden 4 --epochs 3 --out alignment");
    let kinds = [
        ("alignment", "RBM", &["Marginals", "Correlations", "Samples of the model"][..]),
        ("rbm", "30-6 RBM", &["Reconstruction cost", "Filters", "Fantasies", "binary draw"]),
        ("deep", "9-8-7+3-12 DBN", &["Layer 2", "Label error", "Labels", "Reconstructions"]),
        ("tuned", "9-8-7+3-12 DBN", &["Variational cost", "Weights apart", "Labels"]),
        ("classifier", "classifier", &["Cross-entropy", "Label error", "Labels"]),
        ("autoencoder", "autoencoder", &["Squared error", "Reconstructions"]),
        ("table", "RBM", &["Marginals", "Correlations", "blood", "Samples of the model"]),
    ];
    for (run, title, parts) in kinds {
        let page = place.text(&format!("{run}/report.html"));
        for part in parts.iter().chain(&[title, "Glossary", "Settings that differ", "state done", "It learned", run]) {
            // Whether it learned is for the small nets to say.
            assert!(page.contains(part) || *part == "It learned", "{run}: '{part}'");
        }
        assert!(!page.contains("http://") && !page.contains("https://"), "{run}: an address");
        let metrics = lines(&place, run);
        let report = place.json(&format!("report {run} --json"));
        let last = metrics.last().unwrap().as_object().unwrap();
        for (name, value) in
            last.iter().filter(|(name, value)| value.is_number() && !["layer", "epoch"].contains(&name.as_str()))
        {
            assert_eq!(&report["figures"][name], value, "{run}: {name}");
        }
        // Every point of every curve stands in the metrics.
        let numbers: String = metrics.iter().map(|line| line.to_string() + "\n").collect();
        let mut points = 0;
        for line in
            data(&page)["charts"].as_array().unwrap().iter().flat_map(|chart| chart["lines"].as_array().unwrap())
        {
            for y in line["y"].as_array().unwrap() {
                // The page may write 2.0 where the metrics have 2.
                let found =
                    numbers.contains(&format!(":{y}")) || numbers.contains(&format!(":{}", y.as_f64().unwrap()));
                assert!(found, "{run}: {y} of {line}");
                points += 1;
            }
        }
        assert!(points > 10, "{run} has {points} points");
        let before = page.len();
        assert_eq!(place.ok(&format!("report {run}")), format!("{run}/report.html\n"));
        assert_eq!(place.text(&format!("{run}/report.html")).len(), before, "{run}: drawn again it is the same");
        let next = report["next"].as_array().unwrap().clone();
        assert!(!next.is_empty(), "{run}");
        for command in next {
            let words = command["command"].as_str().unwrap().strip_prefix("dbn ").unwrap();
            let words = if words.starts_with("tune ") { format!("{words} --top-steps 1x1") } else { words.to_string() };
            let words = if words.starts_with("finetune ") && !words.contains("--resume") {
                format!("{words} --epochs 1")
            } else {
                words
            };
            place.ok(&words);
        }
    }
    // What the training drew of an alignment is on its page.
    let page = place.text("alignment/report.html");
    assert!(page.contains("data:image/svg+xml;base64,") && page.contains("couplings, above the diagonal"));
    let compared = place.ok("report rbm table deep --out all.html");
    assert_eq!(compared, "all.html\n");
    let page = place.text("all.html");
    for part in ["3 runs compared", "rbm: validation", "Settings that differ", "30-6 RBM"] {
        assert!(page.contains(part), "{part}");
    }
}

/// The end of a training says whether it worked, where its report is and what to type next.
#[test]
fn the_end_names_the_report_and_the_next_commands() {
    let place = Place::new();
    let said = stderr(&place.run(&format!("pretrain --out r {SMALL}")));
    assert!(said.contains("verdict: It "), "{said}");
    for line in [
        "report:  r/report.html\n",
        "next:    dbn eval r --split valid\n",
        "next:    dbn reconstruct r --out reconstructions.png\n",
        "next:    dbn sample r --out samples.png\n",
        "next:    dbn page r --out r/page.html\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let said = stderr(&place.run(&format!("stack --out d {DEEP}")));
    for line in
        ["report:  d/report.html\n", "next:    dbn classify d --split valid --confusion\n", "next:    dbn tune d\n"]
    {
        assert!(said.contains(line), "{said}");
    }
}

/// Columns and classes may be called anything.
#[test]
fn markup_in_names_is_text() {
    let place = Place::new();
    let mut text = String::from("</script><script>alert(1)</script>,\"<img src=x onerror=alert(2)>\",kind\n");
    for row in 0..90 {
        let (a, b) = (f64::from(row % 7) / 3.0, ["<b>one</b>", "&two;", "'three\"\""][row as usize % 3]);
        let class = ["</td><svg onload=alert(3)>", "{{x}}"][row as usize % 2];
        let _ = writeln!(text, "{a},\"{b}\",\"{class}\"");
    }
    std::fs::write(place.path("names.csv"), text).unwrap();
    place.ok("pretrain -q --data csv:names.csv --label-column kind --hidden 4 --epochs 2 --out r");
    place.ok("stack -q --data csv:names.csv --label-column kind --layers 4,5 --epochs 2 --out s");
    place.ok("report r s --out c.html");
    for file in ["r/report.html", "s/report.html", "c.html"] {
        let page = place.text(file);
        for bad in ["<script>alert", "<img src=x", "<svg onload", "<b>one", "</td><svg"] {
            assert!(!page.contains(bad), "{file}: {bad}");
        }
        // Its own two scripts, and nothing else.
        assert_eq!(page.matches("<script").count(), 2, "{file}");
        assert_eq!(page.matches("</script").count(), 2, "{file}");
    }
    assert!(place.text("r/report.html").contains("&lt;img src=x onerror=alert(2)&gt;"));
    assert!(place.text("s/report.html").contains("&lt;/td&gt;&lt;svg onload=alert(3)&gt;"));
}

/// Damaged metrics, no metrics, no model, a damaged model, damaged settings, what the training saw damaged.
#[test]
fn what_is_left_of_a_damaged_run_is_shown() {
    let place = Place::new();
    place.train("r", "");
    let whole = place.text("r/metrics.jsonl");
    let write = |name: &str, bytes: &[u8]| std::fs::write(place.path(name), bytes).unwrap();
    write(
        "r/metrics.jsonl",
        format!("\0\0\n{{\"epoch\":\"x\"}}\n{whole}[]\n{{\"epoch\":1e99,\"a\":1}}\n{{\"ep").as_bytes(),
    );
    place.ok("report r");
    assert!(place.text("r/report.html").contains("metrics.jsonl is damaged: 5 of its lines"));
    assert_eq!(place.json("report r --json")["unreadable_lines"], 5);
    write(
        "r/observed.json",
        b"{\"sheets\":[{\"width\":9999999,\"height\":9999999,\"rows\":[[\"////\"]]}],\"units\":7}",
    );
    place.ok("report r");
    write(
        "r/observed.json",
        b"{\"sheets\":[{\"kind\":\"fantasies\",\"width\":9999999,\"height\":9999999,\"rows\":[[\"!\"]]}]}",
    );
    place.ok("report r");
    write("r/model.safetensors", b"damaged");
    place.ok("report r");
    assert!(place.text("r/report.html").contains("cannot open the checkpoint"));
    std::fs::remove_file(place.path("r/model.safetensors")).unwrap();
    std::fs::remove_file(place.path("r/metrics.jsonl")).unwrap();
    place.ok("report r");
    let page = place.text("r/report.html");
    assert!(page.contains("Nothing has been measured yet") && page.contains("state open"));
    let config = place.text("r/config.toml");
    write("r/config.toml", format!("{}\nepochs = = 3\n", config.lines().next().unwrap()).as_bytes());
    place.ok("report r");
    let refused = place.run("report bars");
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("bars is no run folder"), "{}", stderr(&refused));
}

/// While a program holds the lock of the folder, the page loads itself again; and a run that was killed says how it
/// goes on.
#[test]
fn a_run_that_is_going_on_refreshes_its_page() {
    let place = Place::new();
    place.train("r", "");
    assert!(!place.text("r/report.html").contains("data-refresh"));
    let lock = std::fs::File::create(place.path("r/run.lock")).unwrap();
    lock.lock().unwrap();
    place.ok("report r");
    let page = place.text("r/report.html");
    assert!(page.contains("data-refresh=\"10\"") && page.contains(">running<"));
    drop(lock);
    let config = place.text("r/config.toml").replace("epochs = 2", "epochs = 5");
    std::fs::write(place.path("r/config.toml"), config).unwrap();
    let report = place.json("report r --json");
    assert_eq!((&report["state"], &report["epochs_planned"]), (&"unfinished".into(), &5.into()));
    assert_eq!(report["next"][0]["command"], "dbn pretrain --resume r");
}

/// A hundred thousand epochs are a page like any other.
#[test]
fn a_long_run_is_thinned() {
    let place = Place::new();
    place.train("r", "");
    let line = place.text("r/metrics.jsonl").lines().next().unwrap().to_string();
    let mut text = String::new();
    for epoch in 1..=100_000 {
        let cost = 60.0 + 1000.0 / f64::from(epoch);
        text += &line.replacen("\"epoch\":1,", &format!("\"epoch\":{epoch},\"reconstruction_cost\":{cost},"), 1);
        text += "\n";
    }
    std::fs::write(place.path("r/metrics.jsonl"), text).unwrap();
    place.ok("report r");
    let page = place.text("r/report.html");
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    let charts = data(&page)["charts"].as_array().unwrap().clone();
    assert!(
        charts.iter().flat_map(|chart| chart["lines"].as_array().unwrap()).all(|line| line["x"]
            .as_array()
            .unwrap()
            .len()
            <= 1401)
    );
}

/// A report that cannot be written gives one warning; the training goes on to the same bytes.
#[test]
fn a_report_that_cannot_be_written_changes_nothing() {
    let place = Place::new();
    place.train("whole", "--epochs 4 --save-every 1");
    place.train("r", "--save-every 1");
    for name in ["r/report.html", "r/observed.json"] {
        std::fs::remove_file(place.path(name)).unwrap();
        std::fs::create_dir(place.path(name)).unwrap();
    }
    let output = place.run("pretrain --resume r --epochs 4");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("the report cannot be written").count(), 1, "{said}");
    assert!(!said.contains("report:  "), "{said}");
    assert_eq!(place.read("r/model.safetensors"), place.read("whole/model.safetensors"));
}
