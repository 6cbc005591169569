//! `dbn page`: an HTML file of a model of pictures. What it does in a browser is tested in `tests/page`.

use crate::{Place, stderr};

fn header(place: &Place, name: &str) -> serde_json::Value {
    let text = place.text(name);
    let (_, rest) = text.split_once("<script id=\"header\" type=\"application/json\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn a_page_has_its_model_and_examples_of_its_data() {
    let place = Place::new();
    place.train("run", "");
    assert_eq!(place.json("page run --examples 5 --out run/page.html --json")["examples"], 5);
    let about = header(&place, "run/page.html");
    assert_eq!(about["name"], "run");
    assert_eq!((&about["width"], &about["height"]), (&3.into(), &3.into()));
    assert_eq!(about["examples"]["labels"].as_array().unwrap().len(), 5);
    assert_eq!(about["sizes"][0], 9);
    place.ok("page run --examples 5 --out again.html");
    assert!(place.read("again.html") == place.read("run/page.html"), "the same model makes the same page");
}

#[test]
fn class_names_and_titles_are_no_markup() {
    let place = Place::new();
    let named = place.text("bits.csv").replace(",0\n", ",<script>\n").replace(",1\n", ",</script>\n");
    std::fs::write(place.path("named.csv"), named).unwrap();
    place.stack("d", "--data csv:named.csv");
    let made = place.run("page d --image-size 3x3 --title <b>&</script> --out x.html");
    assert!(made.status.success(), "{}", stderr(&made));
    let text = place.text("x.html");
    assert!(text.contains("<h1 id=\"name\">&lt;b&gt;&amp;&lt;/script&gt;</h1>"));
    assert_eq!(text.matches("</script>").count(), 4, "the page's own scripts alone");
    assert_eq!(header(&place, "x.html")["name"], "<b>&</script>");
}

#[test]
fn data_that_are_gone_leave_a_page_without_examples() {
    let place = Place::new();
    place.train("run", "");
    std::fs::rename(place.path("bits.csv"), place.path("gone.csv")).unwrap();
    let made = place.run("page run --out x.html");
    assert!(made.status.success(), "{}", stderr(&made));
    assert!(stderr(&made).contains("the page has no examples"), "{}", stderr(&made));
    assert_eq!(header(&place, "x.html")["examples"]["labels"].as_array().unwrap().len(), 0);
    let quiet = place.run("page run --examples 0 --out x.html");
    assert!(!stderr(&quiet).contains("no examples:"), "nothing was asked for: {}", stderr(&quiet));
    let asked = place.run("page run --data csv:bits.csv --out x.html");
    assert!(!asked.status.success(), "data that are asked for must be there");
}

#[test]
fn a_table_has_a_page_of_its_columns() {
    let place = Place::new();
    let kinds = ["red", "green", "blue"];
    let row = |i: usize| {
        format!("{},{},{:.1},{}\n", kinds[i % 3], ["yes", "no"][i % 2], 10.0 + (i * 37 % 101) as f64 / 10.0, i % 2)
    };
    let rows: String = (0..300).map(row).collect();
    std::fs::write(place.path("things.csv"), format!("colour,ripe,size,kind\n{rows}")).unwrap();
    place.ok("pretrain -q --data csv:things.csv --label-column kind --hidden 5 --epochs 1 --out run");
    assert_eq!(place.json("page run --out x.html --json")["columns"], 3);
    let about = header(&place, "x.html");
    let kinds: Vec<&str> = about["columns"].as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["categorical", "binary", "number"]);
    assert_eq!(about["columns"][0]["levels"], serde_json::json!(["blue", "green", "red"]));
    let refused = place.run("page run --image-size 5x1 --out y.html");
    let said = stderr(&refused);
    assert!(said.contains("pictures are of Bernoulli units") && said.contains("leave --image-size out"), "{said}");
}

/// Sites count from 1, as in `dbn sample --given`.
#[test]
fn the_page_of_an_alignment_has_its_sites() {
    let place = Place::new();
    let rows: Vec<String> = (0..40).map(|k| format!(">s{k}\n{}\n", ["ACGT", "TGCA", "AAGT"][k % 3])).collect();
    std::fs::write(place.path("t.fasta"), rows.concat()).unwrap();
    place.ok("pretrain -q --data fasta:t.fasta --alphabet dna --hidden 2 --hidden-units bernoulli --epochs 1 --out r");
    place.ok("page r --out x.html");
    let about = header(&place, "x.html");
    let names: Vec<&str> = about["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["1", "2", "3", "4"]);
}

/// As in `dbn sample`, chains start at samples where an RBM with labels learned from chains that do.
#[test]
fn a_page_says_where_its_chains_start() {
    let place = Place::new();
    place
        .ok("stack -q --data csv:bits.csv --label-column last --layers 8 --epochs 1 --valid 11 --batch-size 7 --out d");
    place.ok("page d --image-size 3x3 --out d.html");
    assert_eq!(header(&place, "d.html")["starts_at_examples"], true);
    place.train("run", "");
    place.ok("page run --out run.html");
    assert!(header(&place, "run.html")["starts_at_examples"].is_null(), "it has no labels");
}

#[test]
fn what_is_no_picture_is_refused() {
    let place = Place::new();
    place.stack("d", "");
    let refused = place.run("page d --image-size 2x4 --out x.html");
    assert!(stderr(&refused).contains("2x4"), "{}", stderr(&refused));
    let refused = place.run("page d --out x.htm");
    assert!(stderr(&refused).contains("x.htm: the name must end in .html"), "{}", stderr(&refused));
}
