//! Alignments in every form, and what is refused of them.

use std::io::Write as _;

use crate::batches::binarize::Binarize;
use crate::{AlignmentOptions, Dataset, Inserts, LoadOptions, Source, Unknown, examine, load};

fn read_as(name: &str, bytes: &[u8], options: &LoadOptions) -> Result<Dataset, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let prefix = format!("{}/", dir.path().display());
    load(&Source::Fasta(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn read(text: &str, options: &LoadOptions) -> Result<Dataset, String> {
    read_as("t.fasta", text.as_bytes(), options)
}

fn with(alignment: AlignmentOptions) -> LoadOptions {
    LoadOptions { alignment, ..LoadOptions::default() }
}

fn dna() -> AlignmentOptions {
    AlignmentOptions { alphabet: Some("dna".parse().unwrap()), ..AlignmentOptions::default() }
}

/// The letters of all sequences, `?` where one is missing.
fn letters(data: &Dataset) -> Vec<String> {
    let alphabet = data.schema.alphabet().unwrap();
    let sites = data.schema.each().count();
    let levels = data.train.levels().unwrap();
    levels.chunks(sites).map(|row| alphabet.text(row)).collect()
}

fn names(data: &Dataset) -> Vec<&str> {
    (0..data.train.samples()).map(|sample| data.train.name(sample).unwrap()).collect()
}

const PLAIN: &str = ">S1 a description\nACG\nT-\n\n>>S2\nAC-TA\n";

#[test]
fn a_sequence_may_be_wrapped_packed_and_of_any_line_ends() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(PLAIN.as_bytes()).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(PLAIN.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    let marked = format!("\u{feff}{PLAIN}").into_bytes();
    for bytes in [PLAIN.into(), PLAIN.replace('\n', "\r\n").into(), marked, packed.finish().unwrap(), zstd] {
        let data = read_as("t.fasta.x", &bytes, &with(dna())).unwrap();
        assert_eq!((letters(&data), names(&data)), (vec!["ACGT-".into(), "AC-TA".into()], vec!["S1", "S2"]));
        assert_eq!(data.schema.unit_names()[..6], ["1=A", "1=C", "1=G", "1=T", "1=-", "2=A"]);
        assert_eq!(data.schema.to_string(), "1 to 5  categorical: 5 levels, A, C, G, T, -");
        assert_eq!(data.train.layer().to_string(), "5 categorical of 5");
    }
}

/// The same family in four formats.
#[test]
fn insert_columns_are_left_out_as_each_format_says() {
    let a2m = ">a\nAC.gT\n>b\n-Ca.T\n";
    let a3m = ">ss_pred\nHHHH\n>a\nACgT\n>b\n-CaaT\n";
    let stockholm = "# STOCKHOLM 1.0\n#=GF ID x\na AC.\nb -Ca\n#=GC RF xx.\n\na gT\nb .T\n#=GC RF .x\n//\n";
    let by_case = stockholm.replace("#=GC RF", "#=GC XX");
    for (text, said) in [
        (a2m, "as A2M has them"),
        (a3m, "as A2M and A3M have them"),
        (stockholm, "2 of 5 columns are left out, as the line #=GC RF says"),
        (&by_case, "as A2M has them"),
    ] {
        let data = read(text, &with(dna())).unwrap();
        assert_eq!((letters(&data), names(&data)), (vec!["ACT".to_string(), "-CT".into()], vec!["a", "b"]), "{text}");
        assert!(data.notes.iter().any(|note| note.contains(said)), "{:?}", data.notes);
        // What is left out is known of each sequence.
        let aligned = data.alignment.as_ref().unwrap();
        let of = |sample| match aligned.inserts_of(data.train.line(sample).unwrap()) {
            [inserted] => (inserted.after, inserted.letters.as_str()),
            others => panic!("{others:?}"),
        };
        assert_eq!((of(0), of(1)), ((2, "g"), (2, if text == a3m { "aa" } else { "a" })), "{text}");
    }
    let kept = read(a2m, &with(AlignmentOptions { inserts: Inserts::Keep, ..dna() })).unwrap();
    assert_eq!(letters(&kept), ["AC-GT", "-CA-T"]);
    let masked = read(">a\nACgt.\n>b\nA.GTA\n", &with(dna())).unwrap();
    assert_eq!(letters(&masked), ["ACGT-", "A-GTA"]);
    assert!(masked.notes[0].contains("read as upper case"), "{:?}", masked.notes);
    let dropped = read(">a\nACgt.\n>b\nA.GTA\n", &with(AlignmentOptions { inserts: Inserts::Drop, ..dna() }));
    assert!(dropped.unwrap_err().contains("1 of 2 sequences have another length"));
}

#[test]
fn an_alphabet_is_inferred_asked_for_or_that_of_the_model() {
    let protein = ">a\nMKVLAAGIRSSWYFLLEEDDK-\n>b\nMKVLXAGIRSSWYFLLEEDDKK\n";
    let data = read(protein, &LoadOptions::default()).unwrap();
    assert_eq!(data.schema.alphabet().unwrap().letters(), "ACDEFGHIKLMNPQRSTVWY-");
    let said = "alphabet inferred from the letters: protein (ACDEFGHIKLMNPQRSTVWY-) (--alphabet for another)";
    assert_eq!(data.notes, [said, "letters that are not in the alphabet, taken for missing values: 1 (X 1)"]);
    let gapless = read(&protein.replace('-', "K"), &LoadOptions::default()).unwrap();
    assert_eq!(gapless.schema.alphabet().unwrap().len(), 20);
    // What is inferred from one file holds for another.
    let of_model = LoadOptions { schema: Some(gapless.schema), ..LoadOptions::default() };
    let other = read(">one\nMKVLAAGIRSSWYFLLEEDDK-\n", &of_model).unwrap();
    assert_eq!(letters(&other), ["MKVLAAGIRSSWYFLLEEDDK?"]);
    let custom = AlignmentOptions { alphabet: Some("HP".parse().unwrap()), ..AlignmentOptions::default() };
    assert_eq!(letters(&read(">a\nHHP\n>b\nPPH\n", &with(custom)).unwrap()), ["HHP", "PPH"]);
}

/// The letters of DNA are amino acids too.
#[test]
fn bases_read_by_a_schema_of_proteins_are_doubted() {
    let half = "MKVLAAGIRSSWYFLLEEDDKACGT";
    let data = read(&format!(">a\n{half}{half}-\n>b\n{half}{half}K\n"), &LoadOptions::default()).unwrap();
    assert_eq!(data.doubts, Vec::<String>::new());
    let of_model = LoadOptions { schema: Some(data.schema), ..LoadOptions::default() };
    let dna = format!(">gene\n{}A\n", "ACGTN".repeat(10));
    let said = "all 51 letters are bases of DNA or RNA, but read as amino acids: the alphabet is protein \
                (ACDEFGHIKLMNPQRSTVWY-)";
    assert_eq!(read(&dna, &of_model).unwrap().doubts, [said]);
}

#[test]
fn unknown_letters_are_missing_gaps_or_refused() {
    let text = ">a\nACN\n>b\nACG\n>c\nACG\n";
    let of = |unknown| read(text, &with(AlignmentOptions { unknown, ..dna() }));
    let data = of(Unknown::Missing).unwrap();
    assert_eq!((letters(&data)[0].as_str(), data.train.missing_values()), ("AC?", 1));
    // What is most frequent at the site stands in.
    let values = data.train.batch(0..1, Binarize::None, 0).unwrap().to_values();
    assert_eq!(values[10..], [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(letters(&of(Unknown::Gap).unwrap())[0], "AC-");
    let said = "t.fasta: sequence \"a\" (line 1), site 3: 'N' is not of the alphabet dna (ACGT-); --unknown missing takes such \
                letters for missing values, gap for gaps";
    assert_eq!(of(Unknown::Error).unwrap_err(), said);
}

#[test]
fn rich_in_gaps_and_repeated_sequences_are_left_out_where_it_is_asked() {
    let text = ">a\nACGT\n>b\nA---\n>c\nACGT\n>d\nAC--\n";
    let data = read(text, &with(AlignmentOptions { max_gaps: Some(0.5), deduplicate: true, ..dna() })).unwrap();
    assert_eq!(names(&data), ["a", "d"]);
    let said = [
        "1 of 4 sequences have more than 50 % of gaps: left out",
        "1 of 4 sequences are the same as one before: left out",
    ];
    assert_eq!(data.notes, said);
    let none = read(">a\nA---\n>b\nC---\n", &with(AlignmentOptions { max_gaps: Some(0.5), ..dna() }));
    assert_eq!(none.unwrap_err(), "t.fasta: no sequence is left: all have more than 50 % of gaps");
}

/// Of four sequences two are neighbours at 3 of 4 letters: weights 1/2, 1/2, 1 and 1 over their mean.
#[test]
fn weights_are_inverse_numbers_of_neighbours() {
    let text = ">a\nACGT\n>b\nACGA\n>c\nTTTT\n>d\nNCAA\n";
    let of = |reweight| {
        let data = read(text, &with(AlignmentOptions { reweight: Some(reweight), ..dna() })).unwrap();
        let weights: Vec<f32> = (0..4).map(|row| data.train.weight(row).unwrap()).collect();
        (weights, data.notes.last().unwrap().clone())
    };
    let (weights, said) = of(0.75);
    assert_eq!(weights.iter().map(|w| w * 0.75).collect::<Vec<_>>(), [0.5, 0.5, 1.0, 1.0]);
    assert_eq!(said, "weights: the inverse number of neighbours of 75 % equal letters; 4 sequences count as 3.0");
    assert_eq!(of(0.76).0, [1.0; 4]);
}

#[test]
fn weights_may_be_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.txt");
    let of = |weights: &str, deduplicate| {
        std::fs::write(&path, weights).unwrap();
        let options = with(AlignmentOptions { weights: Some(path.clone()), deduplicate, ..dna() });
        let data = read(">a\nACGT\n>b\nACGA\n>c\nACGT\n", &options);
        let data = data.map_err(|error| error.replace(&format!("{}/", dir.path().display()), ""))?;
        Ok::<_, String>((0..data.train.samples()).map(|row| data.train.weight(row).unwrap()).collect::<Vec<f32>>())
    };
    assert_eq!(of("# w\n1\n0.5\n2\n", false).unwrap(), [1.0, 0.5, 2.0]);
    assert_eq!(of("c 2\na,1\nb\t0.5\n", true).unwrap(), [3.0, 0.5]);
    assert_eq!(of("\u{feff}a 1\nb 0.5\nc 2\n", false).unwrap(), [1.0, 0.5, 2.0]);
    assert_eq!(of("1\n2\n", false).unwrap_err(), "w.txt: 2 weights, expected 3 as t.fasta has sequences");
    assert_eq!(of("a 1\nb 1\n", false).unwrap_err(), "w.txt: no weight of sequence \"c\"");
    let said = "w.txt: line 2 is no weight: every line has a number from 0 up, or every line a name and a number";
    for bad in ["1\n-1\n1\n", "1\na 2\n1\n", "a 1\n2\n", "1\nx y z\n", "1\nnan\n2\n"] {
        assert_eq!(of(bad, false).unwrap_err(), said, "{bad:?}");
    }
}

#[test]
fn bad_alignments_get_a_sentence() {
    let schema = || read(">a\nACG\n>b\nACT\n", &with(dna())).unwrap().schema;
    let of_model = LoadOptions { schema: Some(schema()), ..LoadOptions::default() };
    for (text, options, said) in [
        ("", with(dna()), "there are no sequences: the file is empty"),
        ("\n \n", with(dna()), "there are no sequences: the file is empty"),
        ("# STOCKHOLM 1.0\n//\n", with(dna()), "there are no sequences"),
        (">a\n>b\n", with(dna()), "the sequences have no letters"),
        (">a\nACG\n", with(dna()), "one sequence: a model is learned from many"),
        (
            ">a\nACG\n>b\nAC\n>c\nACT\n",
            with(dna()),
            "1 of 3 sequences have another length than the 3 sites of most, the first \"b\" (line 3), with 2 letters: align \
             them, or leave them out",
        ),
        (
            ">a\nMKVLAAGIRW\n>b\nMKVLAAGIRW\n",
            with(dna()),
            "70 % of the letters are not of the alphabet dna (ACGT-), the most frequent 'I': name another alphabet, or use an \
             alignment of these letters",
        ),
        (
            ">a\nAC1\n>b\nACG\n",
            with(dna()),
            "sequence \"a\" (line 1), letter 3: \"1\" is no letter of a sequence; the alphabet is dna (ACGT-)",
        ),
        (">a\n---\n>b\n---\n", with(dna()), "all sites have gaps alone: there is nothing to learn"),
        (
            ">a\nACGT\n>b\nACGT\n",
            of_model.clone(),
            "the sequences have 4 sites, expected 3 as in the model's alignment",
        ),
        ("ACGT\n", with(dna()), "line 1 begins no sequence: a sequence begins with a line of > and its name"),
        (
            "CLUSTAL W\n\na ACG\n",
            with(dna()),
            "an alignment of Clustal, MSF or NEXUS, which is not read: convert it to FASTA or Stockholm",
        ),
        (
            "# STOCKHOLM 1.0\na ACG\n//\n# STOCKHOLM 1.0\n",
            with(dna()),
            "line 4 begins another alignment: a file to read has one, so write each into its own",
        ),
        (
            "# STOCKHOLM 1.0\na ACG CC\n",
            with(dna()),
            "line 2 is no name and the letters of its sequence, as lines of Stockholm are",
        ),
    ] {
        assert_eq!(read(text, &options).unwrap_err(), format!("t.fasta: {said}"));
    }
    let table = Source::Csv("t.csv".into());
    let asked = with(AlignmentOptions { deduplicate: true, ..AlignmentOptions::default() });
    assert!(load(&table, &asked).unwrap_err().to_string().contains("are for fasta:FILE"));
}

/// A look counts what a training would refuse.
#[test]
fn a_look_counts_what_is_odd() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.fasta");
    std::fs::write(&path, ">a\nACG-\n>b\nA---\n>c\nACG-\n>d\nAC\n>e\nTNG-\n").unwrap();
    let found = examine(&Source::Fasta(path.clone()), &with(dna()), None).unwrap();
    let aligned = found.alignment.as_ref().unwrap();
    assert_eq!((aligned.sequences, aligned.sites, aligned.unequal, aligned.duplicates), (5, 4, 1, 1));
    assert_eq!(aligned.first_unequal.as_deref(), Some("\"d\" (line 7), with 2 letters"));
    assert_eq!((aligned.gap_rich, &aligned.gap_rich_sites[..], &aligned.empty_sites[..]), (1, &[4][..], &[4][..]));
    assert_eq!((&aligned.unknown[..], aligned.effective), (&[('N', 1)][..], Some((0.8, 3.0))));
    assert_eq!((found.train.samples, found.gaps.columns.as_slice()), (4, &[(1, 1)][..]));
    assert!(found.doubts[0].starts_with("1 of 4 sites have no letter but gaps (4): nothing can be learned"));
    assert!(aligned.weights.is_empty());
    // Weights are those of the whole file.
    let weighed = with(AlignmentOptions { max_gaps: Some(0.5), reweight: Some(0.8), ..dna() });
    let found = examine(&Source::Fasta(path), &weighed, None).unwrap();
    let expected = [("a", 0.75f32), ("b", 0.0), ("c", 0.75), ("d", 0.0), ("e", 1.5)];
    let aligned = found.alignment.unwrap();
    assert_eq!(aligned.weights, expected.map(|(name, weight)| (name.to_string(), weight)));
    // Too few letters for an alphabet, and not aligned either: the latter is said.
    let path = dir.path().join("u.fasta");
    std::fs::write(&path, ">a\nAC\n>b\nACG\n>c\nACT\n").unwrap();
    let refused = examine(&Source::Fasta(path), &LoadOptions::default(), None).unwrap_err().to_string();
    assert!(refused.contains("1 of 3 sequences have another length than the 3 sites of most"), "{refused}");
}

#[test]
fn no_more_memory_is_taken_than_there_may_be() {
    let text = format!(">a\n{0}\n>b\n{0}\n", "ACGT".repeat(2000));
    let within = |most| read(&text, &LoadOptions { max_memory: Some(most), ..with(dna()) }).map(|_| ());
    assert_eq!(within(1 << 20), Ok(()));
    assert!(within(10_000).unwrap_err().contains("of memory"));
}

/// Files that are damaged in any way are read or refused; what is read is read again by its own schema.
#[test]
fn damage_is_refused_or_read() {
    let seeds = [
        ">a one\nACGT-\n>b\nACG\nTN\n",
        ">a\nMKVLAAGIRSSWYFLLEEDDK-\n>b\nMKVLXAGIRSSWYFLLEEDDKK\n",
        ">a\nAC.gT\n>b\n-Ca.T\n>a\nAC.gT\n",
        "#A3M#\n>ss_pred\nHHHH\n>a\nACgT\n>b\n-CaaT\n",
        "# STOCKHOLM 1.0\n#=GF ID x\na AC.\nb -Ca\n#=GC RF xx.\n\na gT\nb .T\n#=GC RF .x\n//\n",
    ];
    let (mut state, mut whole) = (7u64, 0);
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % below
    };
    for round in 0..1500 {
        let mut bytes = seeds[draw(seeds.len())].as_bytes().to_vec();
        for _ in 0..=draw(4) {
            let at = draw(bytes.len());
            match draw(4) {
                0 => bytes[at] = draw(256) as u8,
                1 => drop(bytes.drain(at..bytes.len().min(at + draw(9)))),
                2 => bytes.insert(at, b"ACGT-.>#/\n X"[draw(12)]),
                _ => bytes.extend_from_within(at..),
            }
            if bytes.is_empty() {
                bytes.push(b'>');
            }
        }
        let alignment = AlignmentOptions {
            alphabet: [None, Some("dna"), Some("protein"), Some("aB-")][round % 4]
                .map(|letters| letters.parse().unwrap()),
            unknown: [Unknown::Missing, Unknown::Gap][round / 4 % 2],
            inserts: [Inserts::Auto, Inserts::Drop, Inserts::Keep][round / 8 % 3],
            max_gaps: [None, Some(0.5)][round / 24 % 2],
            deduplicate: round / 48 % 2 == 1,
            reweight: [None, Some(0.8)][round / 96 % 2],
            weights: None,
            clusters: [None, Some(0.4)][round / 192 % 2],
        };
        let options = with(alignment);
        let Ok(data) = read_as("t.fasta", &bytes, &options) else { continue };
        let again = LoadOptions { schema: Some(data.schema.clone()), ..options };
        assert_eq!(read_as("t.fasta", &bytes, &again).unwrap().train.levels().unwrap(), data.train.levels().unwrap());
        whole += 1;
    }
    assert!(whole > 50, "{whole}");
}
