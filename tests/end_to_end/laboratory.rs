//! What laboratories do with an RBM: contacts, mutants, quality of samples.

use crate::{Place, numbers, stderr};

/// The letters of the sites.
const LETTERS: [&str; 4] = ["-", "A", "C", "D"];

impl Place {
    /// `sites.csv`: 400 sequences of eight sites, of which the first and the seventh, and the second and the eighth, mostly have
    /// the same letter; the others are noise. `run`: a model of them.
    fn with_sequences() -> Self {
        let place = Self::new();
        let mut noise = numbers(3);
        let mut text = "s1,s2,s3,s4,s5,s6,s7,s8\n".to_string();
        for _ in 0..400 {
            let mut row: Vec<usize> = (0..8).map(|_| noise.next().unwrap() as usize % 4).collect();
            for (from, to) in [(0, 6), (1, 7)] {
                if !noise.next().unwrap().is_multiple_of(8) {
                    row[to] = row[from];
                }
            }
            let letters: Vec<&str> = row.iter().map(|&level| LETTERS[level]).collect();
            text += &(letters.join(",") + "\n");
        }
        std::fs::write(place.path("sites.csv"), text).unwrap();
        let columns: Vec<String> = (1..=8)
            .map(|k| {
                format!("[[column]]\nname = \"s{k}\"\nkind = \"categorical\"\nlevels = [\"-\", \"A\", \"C\", \"D\"]\n")
            })
            .collect();
        std::fs::write(place.path("schema.toml"), format!("missing = []\nunits = \"by-kind\"\n{}", columns.concat()))
            .unwrap();
        place.ok(
            "pretrain -q --data csv:sites.csv --schema schema.toml --valid 0 --hidden 8 --epochs 250 --batch-size 20 \
             --learning-rate 0.1 --out run",
        );
        place
    }
}

#[test]
fn contacts_rank_the_pairs_that_depend_on_each_other_first() {
    let place = Place::with_sequences();
    std::fs::write(place.path("d.dat"), "1 7 3.5\n2 8 9.0\n1 8 12.0\n").unwrap();
    let words = "contacts run --structure d.dat --first 1,2,3,9 --out pairs.csv --picture map.png";
    let found = place.json(&format!("{words} --json"));
    assert_eq!((&found["sites"], &found["sequences"], &found["pairs"]), (&8.into(), &400.into(), &6.into()));
    let first: Vec<(u64, u64)> = (0..2)
        .map(|k| (found["strongest"][k]["i"].as_u64().unwrap(), found["strongest"][k]["j"].as_u64().unwrap()))
        .collect();
    assert!(first.contains(&(1, 7)) && first.contains(&(2, 8)), "{first:?}");
    // Of three pairs with a distance one is a contact, and among the first two.
    let shares: Vec<(u64, u64)> = found["predictive"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| (at["first"].as_u64().unwrap(), at["contacts"].as_u64().unwrap()))
        .collect();
    assert_eq!(shares[1..], [(2, 1), (3, 1)]);
    let text = place.text("pairs.csv");
    assert_eq!(text.lines().count(), 7);
    assert!(text.starts_with("i,j,score,norm,distance,contact\n") && text.contains(",3.5,1\n"), "{text}");
    assert!(image::load_from_memory(&place.read("map.png")).is_ok());
    let said = place.ok(words);
    assert!(said.contains("1 of 3 pairs with a distance are contacts, below 8 Å"), "{said}");
    assert!(said.contains("0.500 of at most 0.500\n") && said.contains("0.333 of at most 0.333\n"), "{said}");
    // Gaps out and in are two things, and with separation 1 there are all pairs.
    let all = place.json("contacts run --gaps in --separation 1 --out all.csv --json");
    assert_eq!(all["pairs"], 28);
    // Of 28 pairs all triples of eight sites, the strongest first.
    let words = "contacts run --separation 1 --triples triples.csv --triple-pairs 28 --out all.csv";
    let found = place.json(&format!("{words} --json"));
    assert_eq!(found["triples"]["count"], 56);
    let text = place.text("triples.csv");
    let norms: Vec<f64> = text.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse().unwrap()).collect();
    assert!(text.starts_with("i,j,k,norm\n") && norms.len() == 56 && norms.is_sorted_by(|a, b| a >= b), "{text}");
    assert!(place.ok(words).contains("56 triples\n"));
    for (words, reason) in [
        ("contacts run --separation 8 --out p.csv", "no two of 8 sites are 8 apart"),
        ("contacts run --structure d.dat --chain A --out p.csv", "a table of distances has no chains"),
        ("contacts run --structure sites.csv --out p.csv", "line 2 has no pair"),
        ("contacts run --out run/model.safetensors", "is the checkpoint"),
        ("contacts run --out p.txt", "must end in .csv"),
        ("contacts run --triples p.csv --out p.csv", "name the same file"),
        ("contacts run --separation 7 --triples t.csv --out p.csv", "take a larger --triple-pairs"),
    ] {
        let output = place.run(words);
        assert!(!output.status.success() && stderr(&output).contains(reason), "{words}: {}", stderr(&output));
    }
    place.ok("pretrain -q --data csv:bits.csv --label-column last --visible-units gaussian --hidden 4 --epochs 1 --valid 0 --out g");
    let output = place.run("contacts g --out p.csv");
    assert!(stderr(&output).contains("it needs bernoulli, spin or categorical visible units"), "{}", stderr(&output));
}

/// A chain of letters that the sites have finds its place by itself.
#[test]
fn a_structure_is_laid_on_the_sites() {
    let place = Place::new();
    let rows = "M,K,W,V,T,F,I,S\nM,K,W,V,T,F,L,S\nM,R,W,V,T,F,I,S\n".repeat(20);
    std::fs::write(place.path("s.csv"), format!("a,b,c,d,e,f,g,h\n{rows}")).unwrap();
    let levels = "levels = [\"-\", \"F\", \"I\", \"K\", \"L\", \"M\", \"R\", \"S\", \"T\", \"V\", \"W\"]";
    let columns: Vec<String> = "abcdefgh"
        .chars()
        .map(|name| format!("[[column]]\nname = \"{name}\"\nkind = \"categorical\"\n{levels}\n"))
        .collect();
    std::fs::write(place.path("s.toml"), format!("missing = []\nunits = \"by-kind\"\n{}", columns.concat())).unwrap();
    place.ok("pretrain -q --data csv:s.csv --schema s.toml --valid 0 --hidden 4 --epochs 2 --batch-size 20 --out r");
    let names = ["GLY", "MET", "LYS", "TRP", "VAL", "THR", "PHE", "ILE", "SER", "GLY"];
    let atom = |(k, name): (usize, &&str)| {
        format!(
            "ATOM  {:5}  CA  {name} A{:4}    {:8.3}   0.000   0.000  1.00  0.00           C  \n",
            k + 1,
            k + 11,
            3.8 * k as f64
        )
    };
    let pdb = names.iter().enumerate().map(atom).collect::<Vec<_>>().concat();
    std::fs::write(place.path("s.pdb"), format!("{pdb}END\n")).unwrap();
    let output = place.run("contacts r --structure s.pdb --separation 2 --threshold 8 --out p.csv");
    assert!(stderr(&output).contains("residues 12 to 19 lie on 8 of 8 sites, 8 of them"), "{}", stderr(&output));
    // Two residues further on lie 7.6 Å apart, three 11.4.
    let contacts = place.text("p.csv").lines().skip(1).filter(|line| line.ends_with(",1")).count();
    assert_eq!(contacts, 6);
    std::fs::write(place.path("x.pdb"), names.iter().fold(pdb, |pdb, name| pdb.replace(name, "GLY"))).unwrap();
    let output = place.run("contacts r --structure x.pdb --out p.csv");
    assert!(stderr(&output).contains("does not look like the sequences"), "{}", stderr(&output));
}

#[test]
fn mutants_are_scored_by_the_difference_of_free_energies() {
    let place = Place::with_sequences();
    let wild = "--wild-type AACDA-AA --offset 20";
    let found = place.json(&format!("score run --mutations all {wild} --out all.csv --picture map.png --json"));
    // Seven residues and two other letters each.
    assert_eq!((&found["mutants"], &found["sites"], &found["unscored"]), (&14.into(), &7.into(), &0.into()));
    assert!(image::load_from_memory(&place.read("map.png")).is_ok());
    // The same differences by the free energies of whole sequences.
    std::fs::write(
        place.path("two.csv"),
        "s1,s2,s3,s4,s5,s6,s7,s8\nA,A,C,D,A,-,A,A\nC,A,C,D,A,-,A,A\nC,A,C,D,A,-,C,A\n",
    )
    .unwrap();
    place.ok("score run --data csv:two.csv --out two-scores.csv");
    let energies: Vec<f64> = place
        .text("two-scores.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    // As a spreadsheet writes it, with a byte-order mark.
    std::fs::write(place.path("m.csv"), "\u{feff}mutant,y\nA21C,1.5\nA21C:A26C,2.5\nA99C,0\nD24A,\n").unwrap();
    let listed =
        place.json(&format!("score run --mutations m.csv --fitness-column y {wild} --out m-scores.csv --json"));
    assert_eq!((&listed["mutants"], &listed["unscored"], &listed["measured"]), (&4.into(), &1.into(), &2.into()));
    let text = place.text("m-scores.csv");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["mutant", "score", "independent", "fitness"]);
    let score = |row: usize| rows[row][1].parse::<f64>().unwrap();
    assert!((score(1) - (energies[0] - energies[1])).abs() < 1e-4, "{text}");
    assert!((score(2) - (energies[0] - energies[2])).abs() < 1e-4, "{text}");
    // What goes with its partner is more probable than what leaves it alone.
    assert!(score(2) > score(1) + 1.0, "{text}");
    assert_eq!((rows[3][1], rows[4][3]), ("", ""));
    for (words, reason) in [
        ("--mutations all --wild-type AACDA-AA --out run/config.toml", "must end in .csv"),
        ("--mutations m.csv --wild-type CACDA-AA --offset 20 --out x.csv", "C, which the wild type has at 21"),
        (
            "--mutations all --wild-type AXCDA-AA --out x.csv",
            "is neither the name of a sequence nor letters of the sites",
        ),
        (
            "--mutations m.csv --fitness-column z --wild-type AACDA-AA --offset 20 --out x.csv",
            "has no column 'z', only mutant, y",
        ),
        ("--mutations two.csv --wild-type AACDA-AA --out x.csv", "has no column 'mutant'"),
        ("--mutations all --out x.csv", "--wild-type"),
    ] {
        let output = place.run(&format!("score run {words}"));
        assert!(!output.status.success() && stderr(&output).contains(reason), "{words}: {}", stderr(&output));
    }
}

#[test]
fn the_quality_of_samples_is_told_in_one_file_and_one_picture() {
    let place = Place::with_sequences();
    let text = place.ok("quality run --test csv:sites.csv --steps 50 --count 400 --out q.json --picture q.png");
    assert!(text.contains("samples, train") && text.contains("adversarial accuracy"), "{text}");
    assert!(image::load_from_memory(&place.read("q.png")).is_ok());
    let found: serde_json::Value = serde_json::from_slice(&place.read("q.json")).unwrap();
    assert!(text.contains("ideal: Pearson and slope 1"), "{text}");
    let r = |of: &str, what: &str| found[of][what]["pearson"].as_f64().unwrap();
    assert_eq!(text.contains("pairs: Pearson"), r("train", "two") < 0.95, "{text}");
    assert!(r("train", "two") > 0.9, "the two strong pairs are there: {found}");
    assert!((r("train_and_test", "two") - 1.0).abs() < 1e-6, "the test samples are the training samples");
    assert_eq!(found["train"]["two"]["count"], 28 * 16);
    // Eight hidden units are summed over.
    assert!(found["log_likelihood"]["samples"].as_f64().unwrap() < 0.0);
    assert!(found["mixing"]["half_life"].as_u64().unwrap() < 50);
    let accuracy = found["train"]["adversarial"]["accuracy"].as_f64().unwrap();
    assert!((0.3..0.7).contains(&accuracy), "{accuracy}");
    // Pictures and tables too.
    place.train("bits", "");
    place.ok("contacts bits --separation 1 --out spins.csv");
    assert!(place.text("spins.csv").starts_with("i,j,score,norm,coupling\n"));
    place.ok("contacts bits --separation 1 --out spins.csv --triples three.csv");
    assert!(place.text("three.csv").starts_with("i,j,k,norm,coupling\n"));
    let bits = place.json("quality bits --steps 20 --count 50 --json");
    assert!(bits["train"]["one"]["pearson"].is_number());
    // Two epochs teach no pairs.
    let remarks = bits["remarks"].as_array().unwrap();
    assert!(remarks.iter().any(|remark| remark.as_str().unwrap().starts_with("pairs: ")), "{bits}");
    std::fs::write(
        place.path("t.csv"),
        (0..60).map(|k| format!("{},{}\n", k % 7, k * k % 11)).collect::<Vec<_>>().concat(),
    )
    .unwrap();
    place.ok(
        "pretrain -q --data csv:t.csv --header no --visible-units gaussian --hidden 3 --epochs 2 --valid 0 --out g",
    );
    assert!(place.json("quality g --steps 20 --json")["free_energy"]["samples"].is_number());
}

#[test]
fn hidden_units_have_logos_and_a_table() {
    let place = Place::with_sequences();
    place.ok("show run --units units.svg --count 3");
    let svg = place.text("units.svg");
    assert!(svg.contains("the 3 most important of 8 hidden units") && svg.matches("acts on").count() == 3, "{svg}");
    place.ok("show run --units units.png");
    assert!(image::load_from_memory(&place.read("units.png")).is_ok());
    place.ok("show run --units units.csv");
    let text = place.text("units.csv");
    let importance: Vec<f64> =
        text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert!(importance.len() == 8 && importance.is_sorted_by(|a, b| a >= b) && importance[0] > 0.0, "{text}");
    assert!(text.starts_with("unit,importance,acts_on,input_mean,input_std,highest_1,"), "{text}");
    let output = place.run("show run --units units.txt");
    assert!(stderr(&output).contains("must end in .svg, .png, .csv"), "{}", stderr(&output));
    // Bits are letters too.
    place.train("bits", "");
    place.ok("show bits --units bits.svg");
}

#[test]
fn ising_samples_are_made_and_a_model_of_them_is_heated_and_cooled() {
    let place = Place::new();
    let made = place.json("data make ising --size 4 --beta 0.3 --samples 2000 --out ising.csv --json");
    let of = |name: &str| made[name].as_f64().unwrap();
    assert!((of("energy") - made["exact"]["energy"].as_f64().unwrap()).abs() < 0.5, "{made}");
    assert_eq!(place.text("ising.csv").lines().nth(1).unwrap().split(',').count(), 16);
    place.ok("pretrain -q --data csv:ising.csv --hidden 8 --epochs 3 --valid 0 --out r");
    let words = "thermodynamics r --betas 0:1:3 --chains 100 --steps 10 --out ladder.csv --picture ladder.png";
    let found = place.json(&format!("{words} --json"));
    let ladder = found["ladder"].as_array().unwrap();
    let at = |k: usize, name: &str| ladder[k][name].as_f64().unwrap();
    // At infinite temperature all states of 16 + 8 units are alike.
    assert!((at(0, "log_z") - 24.0 * 2f64.ln()).abs() < 1e-9 && (at(0, "entropy") - at(0, "log_z")).abs() < 1e-9);
    assert!(at(2, "energy") < at(0, "energy") && at(2, "entropy") < at(0, "entropy"));
    let exact = place.json("eval r --split train --json")["log_z"].clone();
    let exact = exact["exact"].as_f64().unwrap_or_else(|| panic!("{exact}"));
    assert!((at(2, "log_z") - exact).abs() < 0.5, "{} for {exact}", at(2, "log_z"));
    assert!(image::load_from_memory(&place.read("ladder.png")).is_ok());
    assert_eq!(place.text("ladder.csv").lines().count(), 4);
    for (words, reason) in [
        ("thermodynamics r --betas 1:0:3 --out x.csv", "write the first, the last and how many"),
        ("thermodynamics r --steps 100000 --max-memory 100 --out x.csv", "it would fit with --steps"),
        ("data make parity --beta 1 --out x.csv", "--beta is of ising"),
        ("data make ising --beta 0 --out x.csv", "beta"),
        ("data make isng --out x.csv", "or parity, or ising"),
    ] {
        let output = place.run(words);
        assert!(!output.status.success() && stderr(&output).contains(reason), "{words}: {}", stderr(&output));
    }
}

/// Sequences of an alignment are known by their names.
#[test]
fn the_wild_type_may_be_a_sequence_of_the_alignment() {
    let place = Place::new();
    let mut noise = numbers(5);
    let mut text = String::new();
    for k in 0..60 {
        let letters: String = (0..6).map(|_| ["A", "C", "D", "-"][noise.next().unwrap() as usize % 4]).collect();
        text = format!("{text}>seq{k}/11-16\n{letters}\n");
    }
    text += ">wild/101-105 of the family\nAC-DAC\n";
    std::fs::write(place.path("family.fasta"), text).unwrap();
    place.ok(
        "pretrain -q --data fasta:family.fasta --alphabet ACD- --valid 0 --hidden 4 --epochs 3 --batch-size 10 --out r",
    );
    let output = place.run("score r --mutations all --wild-type wild/101-105 --out m.csv");
    assert!(
        stderr(&output).contains("sequence 61 of the data, whose first residue is number 101"),
        "{}",
        stderr(&output)
    );
    let text = place.text("m.csv");
    let mutants: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(mutants[..4], ["A101C", "A101D", "C102A", "C102D"], "gaps are no residues and no mutants");
    assert!(mutants.contains(&"D103A") && mutants.len() == 10, "{mutants:?}");
    // Who gives the start of a name gets the whole one.
    for (asked, hint) in [("WILD", "did you mean wild/101-105?"), ("seq7_", "did you mean seq7/11-16?")] {
        let said = stderr(&place.run(&format!("score r --mutations all --wild-type {asked} --out x.csv")));
        assert!(said.contains("neither the name of a sequence") && said.contains(hint), "{said}");
    }
    // The same letters give the same scores, and an offset moves the numbers.
    place.ok("score r --mutations all --wild-type AC-DAC --offset 100 --out n.csv");
    assert_eq!(place.text("n.csv"), text);
    place.ok("show r --units u.svg --count 2");
    assert!(place.text("u.svg").contains("/11-16"), "sequences by their names");
    assert_eq!(place.json("contacts r --separation 1 --out p.csv --json")["pairs"], 15);
}
