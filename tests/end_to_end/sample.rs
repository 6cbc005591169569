//! `dbn sample`: pictures and animations of what a model generates.

use crate::Place;

fn size(place: &Place, name: &str) -> (u32, u32) {
    let picture = image::load_from_memory_with_format(&place.read(name), image::ImageFormat::Png).unwrap();
    (picture.width(), picture.height())
}

#[test]
fn pictures_have_a_row_a_label_and_depend_on_the_seed_alone() {
    let place = Place::new();
    place.stack("d", "--seed 3");
    place.ok("sample d --label all --steps 20 --out all.png");
    place.ok("sample d --label 0,2 --steps 20 --out two.png");
    place.ok("sample d --label 1 --count 12 --steps 20 --out one.png");
    assert!(size(&place, "all.png").1 > size(&place, "two.png").1);
    assert!(size(&place, "one.png").0 > size(&place, "two.png").0);

    let draw = |words: &str| {
        place.ok(&format!("sample d --steps 20 {words} --out x.png"));
        place.read("x.png")
    };
    let free = draw("");
    assert!(draw("") == free && draw("--seed 3") == free, "the checkpoint's seed is the default");
    for other in ["--seed 4", "--steps 21", "--label 0", "--count 3", "--shown 2"] {
        assert!(draw(other) != free, "{other}");
    }
    assert!(draw("--shown 2 --every 5") != draw("--shown 2 --every 6"));
}

/// Names of classes stand for their numbers; other words are refused with the names there are.
#[test]
fn labels_are_named_as_the_data_name_them() {
    let place = Place::new();
    let text = place.text("bits.csv");
    let named: Vec<String> = text
        .lines()
        .map(|line| {
            let (values, label) = line.rsplit_once(',').unwrap();
            format!("{values},{}", ["ant", "bee", "cat"][label.parse::<usize>().unwrap()])
        })
        .collect();
    std::fs::write(place.path("named.csv"), named.join("\n")).unwrap();
    place.stack("d", "--data csv:named.csv");
    place.ok("sample d --label bee,ant --steps 5 --out names.png");
    place.ok("sample d --label 1,0 --steps 5 --out numbers.png");
    assert!(place.read("names.png") == place.read("numbers.png"));
    let message = crate::stderr(&place.run("sample d --label dog --out x.png"));
    assert!(message.contains("label dog is unknown: the checkpoint has 3 labels, 0 to 2: ant, bee, cat"), "{message}");
}

#[test]
fn animations_have_a_frame_each_time() {
    let place = Place::new();
    place.stack("d", "");
    place.ok("sample d --label all --count 2 --steps 1 --every 1 --shown 7 --out a.gif");
    let file = place.read("a.gif");
    let mut gif = gif::Decoder::new(&file[..]).unwrap();
    let mut frames = 0;
    while gif.read_next_frame().unwrap().is_some() {
        frames += 1;
    }
    assert_eq!(frames, 7);
    place.ok("sample d --steps 1 --every 1 --out a.apng");
    let file = place.read("a.apng");
    let reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
    assert_eq!(reader.info().animation_control().unwrap().num_frames, 50);
}

#[test]
fn an_rbm_dreams_too() {
    let place = Place::new();
    place.train("r", "");
    place.ok("sample r --steps 5 --out r.png");
    assert!(size(&place, "r.png").0 > 100);
}

/// An RBM with labels that learned from chains which start at samples dreams from there, too, if its data are where they were,
/// and what they were; else it says what that means.
#[test]
fn dreams_of_few_samples_start_at_samples_of_their_label() {
    let place = Place::new();
    place.ok(
        "stack -q --data csv:bits.csv --label-column last --layers 8 --epochs 60 --valid 11 --batch-size 7 --out d",
    );
    let known: Vec<String> = place.text("bits.csv").lines().map(str::to_string).collect();
    let dream = |words: &str| {
        let output = place.run(&format!("sample d --label all --count 5 {words} --out s.csv"));
        assert!(output.status.success(), "{}", crate::stderr(&output));
        let rows: Vec<String> = place.text("s.csv").lines().skip(1).map(str::to_string).collect();
        (rows, crate::stderr(&output))
    };
    let (rows, said) = dream("--steps 0");
    assert!(said.contains("chains start at training samples of their label"), "{said}");
    assert_eq!(rows.len(), 15);
    for (chain, row) in rows.iter().enumerate() {
        assert!(known.contains(row) && row.ends_with(&(chain / 5).to_string()), "chain {chain}: {row}");
    }
    let (noise, said) = dream("--steps 1 --start noise");
    assert!(!said.contains("chains start"), "{said}");
    assert_ne!(noise, dream("--steps 1").0);

    let from_noise = |why: &str| {
        let (rows, said) = dream("--steps 1");
        let warning = "warning: chains start at noise, for they cannot start at training samples";
        assert!(said.contains(warning) && said.contains(why), "{said}");
        assert_eq!(rows, noise);
        let refused = place.run("sample d --label all --start data --out s.csv");
        assert!(!refused.status.success() && crate::stderr(&refused).contains(why), "{}", crate::stderr(&refused));
    };
    // Other samples in the same columns are not those that it learned from.
    std::fs::write(place.path("bits.csv"), place.text("bits.csv").replacen('1', "0", 1)).unwrap();
    from_noise("the training data bits are no longer what they were");
    std::fs::rename(place.path("bits.csv"), place.path("moved.csv")).unwrap();
    from_noise("bits.csv");
}
