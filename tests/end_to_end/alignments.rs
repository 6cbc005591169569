//! Alignments from the file to sequences of a model's own.

use crate::{Place, stderr};
use std::collections::HashSet;
use std::fmt::Write as _;

const LETTERS: &[u8] = b"ACDEFGHIKLMNPQRSTVWY-";

/// Sequences of twelve sites: a family of three kinds of pairs, with some letters changed; every tenth has an `X`, and
/// each stands there with a near relative.
fn family(sequences: usize) -> String {
    let mut state = 1u32;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % below
    };
    let mut text = String::new();
    for sequence in 0..sequences {
        let kind = draw(3);
        let mut row: Vec<u8> = (0..12).map(|site| LETTERS[(site / 2 * 5 + kind * 3) % 21]).collect();
        let site = draw(12);
        row[site] = LETTERS[draw(21)];
        if sequence.is_multiple_of(10) {
            row[draw(12)] = b'X';
        }
        writeln!(text, ">s{sequence} of kind {kind}\n{}", String::from_utf8(row).unwrap()).unwrap();
    }
    text
}

fn write(place: &Place, name: &str, text: &str) {
    std::fs::write(place.path(name), text).unwrap();
}

#[test]
fn an_alignment_is_learned_weighed_scored_and_sampled() {
    let place = Place::new();
    write(&place, "all.fasta", &family(300));
    let shown = place.ok("check fasta:all.fasta");
    for line in [
        "fasta:all.fasta: 300 training samples of 12 sites",
        "letters  protein (ACDEFGHIKLMNPQRSTVWY-); 30 others: X 30",
        "lengths  all sequences have 12 letters",
        "by site: site ",
        "; --reweight 0.8 weighs them so, and the recipe has it\n",
        "schema   1 to 12  categorical: 21 levels",
    ] {
        assert!(shown.contains(line), "'{line}' in {shown}");
    }
    // The cost is by the size of the family, in the recipe and in a training without one.
    place.ok("check fasta:all.fasta --recipe r.toml");
    let recipe = String::from_utf8(place.read("r.toml")).unwrap();
    assert!(recipe.contains("reweight = 0.8") && recipe.contains("hidden_units = \"drelu\""), "{recipe}");
    let cost = recipe.lines().find(|line| line.starts_with("l1b_cost = ")).unwrap();
    assert!(cost.contains("# 0.7 sqrt(12 sites / "), "{cost}");
    place.ok("pretrain -q --config r.toml --valid 50 --hidden 8 --epochs 2 --out by-recipe");
    place.ok("pretrain -q --data fasta:all.fasta --reweight 0.8 --valid 50 --hidden 8 --hidden-units bernoulli --epochs 2 --out run");
    let settings = |run: &str| String::from_utf8(place.read(&format!("{run}/config.toml"))).unwrap();
    let cost = cost.split(" #").next().unwrap().trim_end();
    assert!(settings("run").contains(cost) && settings("by-recipe").contains(cost), "{}", settings("run"));
    let evaluated = place.ok("eval run --split train --pseudo-likelihood exact --json");
    assert!(evaluated.contains("\"pseudo_log_likelihood_per_unit\":-"), "{evaluated}");

    // Weights that were written are those that --reweight gives.
    place.ok("check fasta:all.fasta --reweight 0.8 --weights-out w.txt");
    assert!(place.text("w.txt").starts_with("s0\t") && place.text("w.txt").lines().count() == 300);
    let likelihood = |words: &str| {
        let found = place.json(&format!("eval run --split train --json {words}"));
        let found = &found["log_likelihood"];
        found["exact"]["value"].as_f64().or(found["of_filled"]["value"].as_f64()).unwrap_or_else(|| panic!("{found}"))
    };
    let [weighed, by_file, plain] = ["", "--weights w.txt", "--reweight 0"].map(likelihood);
    assert!(weighed == by_file && weighed != plain, "{weighed}, {by_file} and {plain}");

    // Lower case, other line lengths and one sequence alone are the same to the model.
    let one = family(3).lines().nth(3).unwrap().to_string();
    write(&place, "one.a3m", &format!(">one\n{}\n{}\n", &one[..5], &one[5..]));
    place.ok("score run --data fasta:all.fasta --out all.csv");
    place.ok("score run --data fasta:one.a3m --out one.csv");
    let table = |name: &str| String::from_utf8(place.read(name)).unwrap();
    let (all, of_one) = (table("all.csv"), table("one.csv"));
    assert!(
        all.starts_with(
            "line,name,free_energy,log_likelihood,percentile,beyond,oddest,oddest_nats,second,second_nats\n"
        ),
        "{all}"
    );
    let energy = |line: &str| line.split(',').nth(2).unwrap().to_string();
    assert_eq!(energy(all.lines().nth(2).unwrap()), energy(of_one.lines().nth(1).unwrap()));
    assert!(all.contains(",site 12,") && !all.contains("site 0"), "{all}");
    write(&place, "dna.fasta", &">s\nACGTACGTACGT\n".repeat(5));
    let said = stderr(&place.run("score run --data fasta:dna.fasta --out dna.csv"));
    assert_eq!(said.matches("all 60 letters are bases of DNA or RNA, but read as amino acids").count(), 1, "{said}");
    place.ok("show run --units units.csv");
    let units = table("units.csv");
    assert!(units.lines().next().unwrap().contains(",highest_1,highest_1_name,") && units.contains(",s"), "{units}");
    place.ok("encode run --data fasta:all.fasta --out codes.csv");
    assert!(table("codes.csv").starts_with("name,h0,"), "{}", table("codes.csv"));

    place.ok("sample run --count 20 --steps 5 --data fasta:all.fasta --out new.fasta");
    let new = table("new.fasta");
    let lines: Vec<&str> = new.lines().collect();
    assert_eq!(lines.len(), 40);
    assert!(lines[0].starts_with(">sample1 nearest=s") && lines[0].contains(" distance="), "{}", lines[0]);
    assert!(lines.iter().skip(1).step_by(2).all(|row| row.len() == 12 && row.bytes().all(|c| LETTERS.contains(&c))));
    place.ok("sample run --given 1=A,2=A --count 3 --steps 5 --out given.fasta");
    assert!(table("given.fasta").lines().skip(1).step_by(2).all(|row| row.starts_with("AA")));

    // A motif, and a hidden unit.
    place.ok("sample run --given 3-5=ACD,h0=1 --count 3 --steps 5 --out motif.fasta");
    assert!(table("motif.fasta").lines().skip(1).step_by(2).all(|row| row[2..].starts_with("ACD")));
    for (given, said) in [("h0=2", "it must be 0 or 1"), ("h8=1", "it must be one of those"), ("h0=on", "is a number")]
    {
        let refused = stderr(&place.run(&format!("sample run --given {given} --count 3 --steps 5 --out x.fasta")));
        assert!(refused.contains(said), "{refused}");
    }

    // At a low temperature chains keep to what is most probable.
    let mean = |words: &str, name: &str| {
        place.ok(&format!("sample run --count 20 --steps 20 {words} --out {name}.fasta"));
        place.ok(&format!("score run --data fasta:{name}.fasta --out {name}.csv"));
        let table = table(&format!("{name}.csv"));
        let energies: Vec<f64> = table.lines().skip(1).map(|line| energy(line).parse().unwrap()).collect();
        energies.iter().sum::<f64>() / energies.len() as f64
    };
    let (cold, warm) = (mean("--temperature 0.1", "cold"), mean("", "warm"));
    assert!(cold < warm - 1.0, "{cold} and {warm}");
    let said = stderr(&place.run("sample run --count 20 --steps 20 --out more.fasta"));
    assert!(said.contains("chains that start at these samples forget "), "{said}");
    let refused = stderr(&place.run("sample run --temperature 0 --out x.fasta"));
    assert!(refused.contains("expected a number above 0"), "{refused}");

    // What is missing is filled, all else stays.
    place.ok("impute run --data fasta:all.fasta --out filled.fasta");
    let names: HashSet<String> = family(300).lines().filter_map(|line| Some(line.strip_prefix(">s")?.into())).collect();
    let (family, filled) = (family(300), table("filled.fasta"));
    assert_eq!(names.len(), filled.lines().count() / 2);
    for (before, after) in family.lines().zip(filled.lines()).skip(1).step_by(2) {
        assert!(before.bytes().zip(after.bytes()).all(|(a, b)| a == b || a == b'X' && LETTERS.contains(&b)), "{after}");
    }
    place.ok("reconstruct run --data fasta:all.fasta --split train --out again.fasta");
    assert!(table("again.fasta").starts_with(">s0\n"));
}

/// What independent sites give has the frequencies of the training samples, whichever are measured.
#[test]
fn an_evaluation_says_what_independent_sites_give() {
    let place = Place::new();
    let row = |k: usize| format!(">s{k}\n{}\n", if k.is_multiple_of(4) { "CA" } else { "AA" });
    write(&place, "t.fasta", &(0..40).map(row).collect::<String>());
    write(&place, "o.fasta", ">a\nAA\n>b\nAA\n");
    place.ok("pretrain -q --data fasta:t.fasta --alphabet AC --valid 0 --hidden 2 --hidden-units bernoulli --epochs 1 --out run");
    let [a, c, second] = [30.5f64, 10.5, 40.5].map(|count| (count / 41.0).ln());
    for (words, expected) in [("", 0.75 * a + 0.25 * c + second), ("--data fasta:o.fasta", a + second)] {
        let found = place.json(&format!("eval run --split train {words} --json"));
        assert!((found["independent"].as_f64().unwrap() - expected).abs() < 1e-9, "{found}");
        // How much the model is ahead of them, with the interval over the samples, as ln Z is exact.
        let [value, low, high] = ["value", "low", "high"].map(|key| found["difference"][key].as_f64().unwrap());
        let exact = found["log_likelihood"]["exact"]["value"].as_f64().unwrap();
        assert!((value - (exact - expected)).abs() < 1e-9 && low <= value && value <= high, "{found}");
        let each = found["log_likelihood_per_site"]["value"].as_f64().unwrap();
        assert!((each - exact / 2.0).abs() < 1e-12, "{found}");
    }
    let said = place.ok("eval run --split train");
    assert!(said.contains("independent sites     -") && said.contains(" than independent sites by "), "{said}");
    assert!(said.contains("\n  per site            -"), "{said}");
    // A score has the mean too, with the interval of the ln Z that it is given.
    let exact = place.json("eval run --split train --json")["log_likelihood"]["exact"]["value"].as_f64().unwrap();
    let scored = |words: &str| place.json(&format!("score run --split train {words} --out s.csv --json"));
    let found = scored("");
    let [value, each] = ["value", "per_site"].map(|key| found["log_likelihood"][key].as_f64().unwrap());
    assert!((value - exact).abs() < 1e-4 && (each - value / 2.0).abs() < 1e-12, "{found} of {exact}");
    assert!(found["log_likelihood"].get("low").is_none(), "{found}");
    let found = scored("--log-z 30,29.5,31");
    let [value, low, high] = ["value", "low", "high"].map(|key| found["log_likelihood"][key].as_f64().unwrap());
    assert!((value - low - 1.0).abs() < 1e-9 && (high - value - 0.5).abs() < 1e-9, "{found}");
    let said = place.ok("score run --split train --log-z 30,29.5,31 --out s.csv");
    assert!(said.contains("mean log-likelihood -") && said.contains(" per site\n"), "{said}");
    // Or with the file of an evaluation, if it is of this model.
    let evaluation = place.json("eval run --split train --estimate --temperatures 50 --out e.json --json");
    let found = scored("--log-z e.json");
    assert_eq!(found["log_z"], evaluation["log_z"]["both_ways"]["value"], "{found}");
    let refused = |text: String, why: &str| {
        std::fs::write(place.path("e.json"), text).unwrap();
        let output = place.run("score run --split train --log-z e.json --out s.csv");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    };
    refused("{}".into(), "e.json is not what `dbn eval --out` wrote");
    let other = serde_json::json!({"checkpoint_sha256": "0", "log_z": evaluation["log_z"]});
    refused(other.to_string(), "e.json is of another model than run");
}

/// Nothing is learned from three sequences: that is said of the data, and at the end of a training.
#[test]
fn three_sequences_are_too_few() {
    let place = Place::new();
    write(&place, "few.fasta", &family(3).replace('X', "A"));
    let shown = place.ok("check fasta:few.fasta --alphabet protein");
    for part in
        ["3 training samples: nothing can be learned from fewer than 10", "too few samples to learn from; to start"]
    {
        assert!(shown.contains(part) && !shown.contains("fit for training"), "'{part}' in {shown}");
    }
    let asked = "pretrain --data fasta:few.fasta --alphabet protein --valid 0 --hidden 2 --epochs 2 --out run";
    let said = stderr(&place.run(asked));
    assert!(said.contains("verdict: It cannot be said whether it learned: 3 training samples are too few."), "{said}");
}

/// A training whose best epoch is not its last names the file of the best model in the next commands.
#[test]
fn the_next_commands_are_of_the_best_model() {
    let place = Place::new();
    write(&place, "all.fasta", &family(60).replace('X', "A"));
    let asked = "pretrain --data fasta:all.fasta --alphabet protein --valid 20 --hidden 6 --hidden-units bernoulli \
                 --epochs 21 --log-z-every 20 --out run";
    let said = stderr(&place.run(asked));
    for part in ["dbn sample run/best.safetensors --out", "dbn eval run/best.safetensors --split valid\n"] {
        assert!(said.contains(&format!("next:    {part}")), "'{part}' in {said}");
    }
    place.ok("eval run/best.safetensors --split valid");
}

/// Letters in insert columns count where residues are numbered, by the name of a sequence and along the whole protein.
#[test]
fn residues_between_sites_are_numbered() {
    let place = Place::new();
    let family = family(40).replace('X', "A");
    let mut lines: Vec<&str> = family.lines().collect();
    (lines[2], lines[3]) = (">wild/101-115", "ACDEFwkwGHIKLMN");
    write(&place, "i.a3m", &(lines.join("\n") + "\n"));
    place.ok("pretrain -q --data fasta:i.a3m --alphabet protein --valid 0 --hidden 4 --hidden-units bernoulli --epochs 1 --out run");
    let named = place.run("score run --mutations all --wild-type wild/101-115 --out named.csv");
    assert!(named.status.success() && !stderr(&named).contains("numbers behind"), "{}", stderr(&named));
    let whole = place.run("score run --mutations all --wild-type MMACDEFWKWGHIKLMNRR --offset 98 --out whole.csv");
    assert!(stderr(&whole).contains("sequence 2 of the data, wild/101-115, is part of it"), "{}", stderr(&whole));
    let text = place.text("named.csv");
    assert!(text.contains("\nF105A,") && text.contains("\nG109A,") && !text.contains("\nW106"), "{text}");
    assert_eq!(text, place.text("whole.csv"));
    write(&place, "m.csv", "mutant\nK107A\nW107A\n");
    let refused = place.run("score run --mutations m.csv --wild-type wild/101-115 --out m-scores.csv");
    assert!(stderr(&refused).contains("K, which the wild type has at 107"), "{}", stderr(&refused));
}

/// A sequence that stands there twice counts as one of weight two, in every figure.
#[test]
fn a_sequence_of_weight_two_is_one_that_stands_there_twice() {
    let place = Place::new();
    let family = family(41).replace('X', "A");
    let records: Vec<&str> = family.split_inclusive('\n').collect();
    let text = |twice: &dyn Fn(usize) -> bool| -> String {
        let record = |(k, pair): (usize, &[&str])| pair.concat().repeat(if twice(k) { 2 } else { 1 });
        records.chunks(2).enumerate().map(record).collect()
    };
    write(&place, "once.fasta", &text(&|_| false));
    write(&place, "twice.fasta", &text(&|k| k % 3 == 0));
    let weights: String = (0..41).map(|k| if k % 3 == 0 { "2\n" } else { "1\n" }).collect();
    write(&place, "weights.txt", &weights);
    place.ok("pretrain -q --data fasta:once.fasta --alphabet protein --valid 0 --hidden 4 --hidden-units bernoulli --epochs 2 --out run");
    let figures = |words: &str| {
        let found = place.ok(&format!("eval run --pseudo-likelihood exact --json {words}"));
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        ["log_likelihood", "pseudo_log_likelihood", "reconstruction_cost"].map(|key| {
            let value = &found[key];
            value.as_f64().or_else(|| value["exact"]["value"].as_f64()).unwrap_or_else(|| panic!("{key} in {found}"))
        })
    };
    let (weighed, repeated) =
        (figures("--data fasta:once.fasta --weights weights.txt"), figures("--data fasta:twice.fasta"));
    for (a, b) in weighed.into_iter().zip(repeated) {
        assert!((a - b).abs() <= 1e-5 * b.abs(), "{a} and {b}");
    }
    assert!((figures("--data fasta:once.fasta")[1] - weighed[1]).abs() > 1e-4 * weighed[1].abs());
}

#[test]
fn bad_alignments_and_other_data_get_one_sentence() {
    let place = Place::new();
    write(&place, "good.fasta", &family(40));
    write(&place, "short.fasta", &(family(40) + ">last\nACD\n"));
    place.ok("pretrain -q --data fasta:good.fasta --hidden 4 --epochs 1 --out run");
    let refused = |words: &str, code: i32, said: &str| {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(code), "{words}: {}", stderr(&output));
        let told = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
        assert!(told.contains(said), "'{said}' in {told}");
    };
    let unequal =
        "1 of 41 sequences have another length than the 12 sites of most, the first \"last\" (line 81), with 3 letters";
    refused("pretrain --data fasta:short.fasta --out x", 2, unequal);
    refused("check fasta:short.fasta", 1, unequal);
    write(&place, "long.fasta", ">a\nACDEFGHIKLMNP\n");
    refused(
        "score run --data fasta:long.fasta --out x.csv",
        2,
        "the sequences have 13 sites, expected 12 as in the model's",
    );
    write(&place, "table.csv", "a,b\n1,2\n3,4\n");
    refused(
        "score run --data csv:table.csv --out x.csv",
        2,
        "the model is one of an alignment, and 'csv:table.csv' is none",
    );
    refused("check fasta:good.fasta --weights-out w.txt", 2, "--reweight 0.8 weighs the sequences");
    refused("sample run --given 50=C --out x.fasta", 2, "given site is \"50\"; it must be one of 1 to 12");
    refused("sample run --given 3 --out x.fasta", 2, "--given has \"3\", expected SITE=LETTER");
    refused("page run --image-size 12x21 --out x.html", 2, "hint: leave --image-size out");
    refused("pretrain --data fasta:good.fasta --reweight 80 --out x", 2, "at most 1; 80 % is 0.8");
    refused("pretrain --data csv:table.csv --reweight 0.8 --out x", 2, "are for fasta:FILE");
    refused("pretrain --data fasta:good.fasta --weight-column w --out x", 2, "use --weights FILE or --reweight");
    refused(
        "pretrain --data fasta:good.fasta --alphabet dna --out x",
        2,
        "% of the letters are not of the alphabet dna (ACGT-)",
    );
}

/// Eight clades of 20 sequences whose first ones have nothing in common: whole ones are held out, later verbs find the
/// same, and the training says that other clades are not those it learned.
#[test]
fn whole_clusters_are_held_out_and_couplings_that_do_harm_are_named() {
    let place = Place::new();
    let mut text = String::new();
    for sequence in 0..160 {
        let (clade, site) = (sequence % 8, sequence / 8 % 12);
        let letter = |at: usize| LETTERS[(at * 3 + clade * 2 + usize::from(at == site) * 7) % 20];
        let row: Vec<u8> = (0..12).map(letter).collect();
        writeln!(text, ">s{sequence}\n{}", String::from_utf8(row).unwrap()).unwrap();
    }
    write(&place, "clades.fasta", &text);
    let asked = "pretrain --data fasta:clades.fasta --alphabet protein --valid 50 --hidden 20 --log-z-every 30 --epochs 30 \
                 --learning-rate 0.01 --batch-size 20 --l1b-cost 0.01";
    let said = stderr(&place.run(&format!("{asked} --valid-clusters 0.5 --out whole")));
    for part in [
        "clusters: 8, whose sequences have 50 % of the letters in common with the first of each; the largest has 20",
        "120 training samples, 40 validation",
        "by independent sites -",
        "; the model is worse than independent sites by ",
        "verdict: It is worse than independent sites. Try --l1b-cost 0.02, twice the L1b cost.",
    ] {
        assert!(said.contains(part), "'{part}' in {said}");
    }
    assert_eq!(place.json("eval whole --split valid --json")["samples"], 40);
    // Whole clusters are fewer than the 50 that were asked for, and no report says otherwise.
    assert!(!place.text("whole/report.html").contains("on 50 validation samples"));
    let measured = stderr(&place.run("eval whole --split train"));
    assert!(measured.contains("but for 40 samples held out"), "{measured}");
    // Relatives of samples that are drawn were learned from.
    let said = stderr(&place.run(&format!("{asked} --out drawn")));
    assert!(said.contains("--valid-clusters 0.4 holds whole clusters out") && !said.contains("worse than"), "{said}");

    let refused = |words: &str, part: &str| {
        let said = stderr(&place.run(&format!("pretrain --epochs 1 --out x {words}")));
        assert!(said.contains(part), "'{part}' in {said}");
    };
    refused("--data fasta:clades.fasta --valid 10 --valid-clusters 0.5", "8 clusters, each of more than 10 samples");
    refused("--data fasta:clades.fasta --valid 0 --valid-clusters 0.5", "with --valid N");
    refused("--data fasta:clades.fasta --valid-clusters 1.5", "a share of the letters, above 0 and at most 1");
    write(&place, "table.csv", "a,b\n1,2\n3,4\n");
    refused("--data csv:table.csv --valid-clusters 0.5", "are for fasta:FILE");
}

/// The report of an alignment has its pictures as soon as the training ends, and they are those of the verbs.
#[test]
fn the_report_of_an_alignment_shows_logos_and_couplings() {
    let place = Place::new();
    write(&place, "all.fasta", &family(60));
    let said = stderr(&place.run("pretrain --data fasta:all.fasta --hidden 12 --epochs 2 --valid 10 --out run"));
    for part in [
        "drawing the logos of hidden units for the report (units.svg)",
        "averaged over 60 sequences",
        "weights: every sequence counts as one, in the L1b cost too; --reweight 0.8 weighs them",
        "next:    dbn contacts run --out run/contacts.csv\n",
    ] {
        assert!(said.contains(part), "'{part}' in {said}");
    }
    assert!(!said.contains("next:    dbn show") && !said.contains("next:    dbn report"), "{said}");
    let pictures = ["units.svg", "contacts.png"].map(|name| place.read(&format!("run/{name}")));
    place.ok("show run --units again.svg --count 10");
    place.ok("contacts run --out pairs.csv --picture again.png");
    assert!(pictures == [place.read("again.svg"), place.read("again.png")]);
    let shown = |place: &Place| {
        let page = String::from_utf8(place.read("run/report.html")).unwrap();
        ["<img src=\"data:image/svg+xml;", "<img src=\"data:image/png;"].map(|start| page.contains(start))
    };
    assert_eq!(shown(&place), [true, true]);

    // What is missing is drawn again, and a verb may write another picture there.
    std::fs::remove_file(place.path("run/units.svg")).unwrap();
    place.ok("report run");
    assert_eq!(place.read("run/units.svg"), pictures[0]);
    place.ok("show run --units run/units.svg --count 2");
    assert_ne!(place.read("run/units.svg"), pictures[0]);
    place.ok("report run");
    assert_ne!(place.read("run/units.svg"), pictures[0], "a picture that is there stays");

    // Without the data the page is drawn all the same, and says which commands draw the rest.
    std::fs::remove_file(place.path("run/units.svg")).unwrap();
    std::fs::remove_file(place.path("all.fasta")).unwrap();
    let output = place.run("report run");
    let said = stderr(&output);
    assert!(output.status.success() && said.contains("the logos and the map of couplings are not drawn: "), "{said}");
    assert_eq!(shown(&place), [false, true]);
    let page = String::from_utf8(place.read("run/report.html")).unwrap();
    assert!(page.contains("dbn show run --units run/units.svg"));
    // A run in the same place begins without them.
    write(&place, "all.fasta", &family(60));
    place.ok("pretrain -q --data fasta:all.fasta --hidden 4 --epochs 1 --valid 10 --force --out run");
    assert_ne!(place.read("run/contacts.png"), pictures[1]);
}
