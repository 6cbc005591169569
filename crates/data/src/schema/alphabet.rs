//! Letters of alignments: which there are, and in which order they are the levels of a site.
//!
//! | name | letters |
//! |---|---|
//! | `protein` | `ACDEFGHIKLMNPQRSTVWY-` |
//! | `dna` | `ACGT-` |
//! | `rna` | `ACGU-` |
//!
//! `-` is the gap, a letter like the others; in files `.`, `_` and `~` are gaps too. Lower-case letters are those of upper
//! case, unless the alphabet has lower-case letters itself.

use std::fmt;
use std::str::FromStr;

use deepbelief_kernels::UNKNOWN_LETTER;

use crate::error::Error;
use crate::text::serde_as_text;

/// Alphabets by their names.
const NAMED: [(&str, &str); 3] = [("protein", "ACDEFGHIKLMNPQRSTVWY-"), ("dna", "ACGT-"), ("rna", "ACGU-")];

/// The gap.
pub(crate) const GAP: u8 = b'-';

/// What files have for a gap.
pub(crate) const GAPS: &[u8] = b"-._~";

/// Letters of an alphabet, at most: each is a visible unit of every site.
const MOST: usize = 93;

/// Letters, at least, that an alphabet is inferred from.
const ENOUGH: u64 = 20;

/// Per cent of the letters, at least, that are of an alphabet which is inferred from them.
const SHARE: u64 = 90;

/// The bases of DNA and RNA, and what stands for any of them. All but uracil are amino acids too.
const BASES: &str = "ACGTUN";

/// Bases that are no protein by chance.
const MANY: u64 = 50;

/// The letters of an alignment, in the order of the levels of its sites. As text: `protein`, `dna`, `rna` or the letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alphabet(String);

/// What a file's character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Character {
    /// The level of this number.
    Letter(u8),
    /// A letter that the alphabet has not, such as `X`, or a gap where it has none.
    Unknown,
    /// Nothing that stands in sequences.
    Foreign,
}

impl Alphabet {
    /// The letters in their order.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: an alphabet has at least two letters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of the gap among the letters, where it is one.
    #[must_use]
    pub fn gap(&self) -> Option<u8> {
        self.0.bytes().position(|letter| letter == GAP).map(|place| place as u8)
    }

    /// The letters as levels of a category.
    #[must_use]
    pub fn levels(&self) -> Vec<String> {
        self.0.chars().map(String::from).collect()
    }

    /// Whether upper and lower case are letters of their own.
    #[must_use]
    pub fn has_lower_case(&self) -> bool {
        self.0.bytes().any(|letter| letter.is_ascii_lowercase())
    }

    /// The number of a letter, as files may write it; none of what the alphabet has not.
    #[must_use]
    pub fn level(&self, character: u8) -> Option<u8> {
        match self.character(character) {
            Character::Letter(level) => Some(level),
            Character::Unknown | Character::Foreign => None,
        }
    }

    /// What a character of a file is.
    pub(crate) fn character(&self, character: u8) -> Character {
        let find = |wanted: u8| self.0.bytes().position(|letter| letter == wanted).map(|place| place as u8);
        let upper = || if self.has_lower_case() { None } else { find(character.to_ascii_uppercase()) };
        let gap = || if GAPS.contains(&character) { self.gap() } else { None };
        match find(character).or_else(upper).or_else(gap) {
            Some(level) => Character::Letter(level),
            None if character.is_ascii_alphabetic() || character == b'*' || GAPS.contains(&character) => {
                Character::Unknown
            }
            None => Character::Foreign,
        }
    }

    /// In words: `protein (ACDEFGHIKLMNPQRSTVWY-)`, or the letters alone of an alphabet without a name.
    #[must_use]
    pub fn described(&self) -> String {
        let bare = |letters: &str| letters.replace('-', "");
        match NAMED.iter().find(|(_, letters)| bare(letters) == bare(&self.0)) {
            Some((name, _)) => format!("{name} ({self})"),
            None => self.to_string(),
        }
    }

    /// Levels as letters; what is [`UNKNOWN_LETTER`] as `?`.
    #[must_use]
    pub fn text(&self, levels: &[u8]) -> String {
        let letter = |&level: &u8| match level {
            UNKNOWN_LETTER => '?',
            level => self.0.as_bytes().get(usize::from(level)).map_or('?', |&letter| letter.into()),
        };
        levels.iter().map(letter).collect()
    }

    /// What is odd about letters, by how often each character stands there: bases that are taken for amino acids.
    pub(crate) fn doubt(&self, counts: &[u64; 256]) -> Option<String> {
        let is_protein = self.described().starts_with("protein ");
        let letters = || (0..=255u8).zip(counts).filter(|(c, _)| c.is_ascii_alphabetic());
        let is_base = |c: u8| BASES.contains(char::from(c.to_ascii_uppercase()));
        let all: u64 = letters().map(|(_, count)| count).sum();
        let are_bases = letters().all(|(c, &count)| count == 0 || is_base(c));
        (is_protein && are_bases && all >= MANY).then(|| {
            let alphabet = self.described();
            format!("all {all} letters are bases of DNA or RNA, but read as amino acids: the alphabet is {alphabet}")
        })
    }

    /// The alphabet that letters are of, by how often each upper-case letter stands there, and whether there are gaps;
    /// or what to ask.
    pub(crate) fn infer(counts: &[u64; 256], gaps: bool) -> Result<Self, String> {
        let of = |letters: &str| letters.bytes().map(|letter| counts[usize::from(letter)]).sum::<u64>();
        let all = (b'A'..=b'Z').map(|letter| counts[usize::from(letter)]).sum::<u64>();
        let ask = "say --alphabet protein, dna, rna, or the letters themselves, such as --alphabet ACGT-";
        if all == 0
            && let Some(others) = in_words(counts)
        {
            return Err(format!("there are no letters, only {others}: is this an alignment? If it is, {ask}"));
        }
        if all < ENOUGH {
            return Err(format!("{all} letters are too few to infer the alphabet from: {ask}"));
        }
        // What is nearly all bases is no protein; uracil distinguishes RNA from DNA.
        let fits = |letters: &str| of(letters) * 100 >= all * SHARE;
        let name = match (fits(BASES), of("U") > of("T")) {
            (true, true) => "rna",
            (true, false) => "dna",
            (false, _) if fits("ACDEFGHIKLMNPQRSTVWYX") => "protein",
            (false, _) => {
                let known = of("ACDEFGHIKLMNPQRSTVWYX") * 100 / all;
                return Err(format!("{known} % of the letters are amino acids, too few for a protein: {ask}"));
            }
        };
        let Self(letters) = name.parse().map_err(|error: Error| error.to_string())?;
        Ok(Self(if gaps { letters } else { letters.replace('-', "") }))
    }
}

/// The characters that are neither letters nor gaps, such as `digits, # and @`; none where there are none.
fn in_words(counts: &[u64; 256]) -> Option<String> {
    let found = |c: &u8| counts[usize::from(*c)] > 0;
    let mut words: Vec<String> = (b'0'..=b'9').any(|c| found(&c)).then(|| "digits".to_string()).into_iter().collect();
    let signs = (b'!'..=b'~').filter(|c| !c.is_ascii_alphanumeric() && !GAPS.contains(c));
    words.extend(signs.filter(found).map(|c| char::from(c).to_string()));
    if (128..=255u8).any(|c| found(&c)) {
        words.push("characters that are not ASCII".into());
    }
    let last = words.pop()?;
    Some(if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) })
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Alphabet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some((_, letters)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(Self((*letters).into()));
        }
        let is_letter = |letter: u8| letter.is_ascii_graphic() && !b">#;".contains(&letter);
        let distinct = |letters: &[u8]| (1..letters.len()).all(|at| !letters[..at].contains(&letters[at]));
        if (2..=MOST).contains(&text.len()) && text.bytes().all(is_letter) && distinct(text.as_bytes()) {
            return Ok(Self(text.into()));
        }
        let expected = format!("protein, dna, rna, or 2 to {MOST} different letters such as ACGT-");
        Err(Error::Setting { name: "alphabet", got: format!("{text:?}"), expected })
    }
}

serde_as_text!(Alphabet);

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> [u64; 256] {
        let mut counts = [0; 256];
        text.bytes().for_each(|letter| counts[usize::from(letter)] += 1);
        counts
    }

    #[test]
    fn alphabets_read_and_write_as_text() {
        for (text, letters) in [("protein", "ACDEFGHIKLMNPQRSTVWY-"), ("rna", "ACGU-"), ("-HP", "-HP"), ("ab", "ab")] {
            let alphabet: Alphabet = text.parse().unwrap();
            assert_eq!(alphabet.letters(), letters);
            assert_eq!(alphabet.to_string().parse::<Alphabet>().unwrap(), alphabet);
        }
        for bad in ["", "A", "AA", "A C", "ACG>", "ÄB", "A\n"] {
            let error = bad.parse::<Alphabet>().unwrap_err().to_string();
            assert!(
                error.ends_with("it must be protein, dna, rna, or 2 to 93 different letters such as ACGT-"),
                "{bad}"
            );
        }
    }

    #[test]
    fn characters_are_letters_gaps_unknown_or_foreign() {
        use Character::{Foreign, Letter, Unknown};
        let dna: Alphabet = "dna".parse().unwrap();
        for (character, is) in [
            (b'A', Letter(0)),
            (b't', Letter(3)),
            (b'-', Letter(4)),
            (b'.', Letter(4)),
            (b'N', Unknown),
            (b'*', Unknown),
            (b'1', Foreign),
        ] {
            assert_eq!(dna.character(character), is, "{}", char::from(character));
        }
        let without: Alphabet = "ACGT".parse().unwrap();
        assert_eq!((without.character(b'-'), without.gap()), (Unknown, None));
        let both: Alphabet = "Aa-".parse().unwrap();
        assert_eq!((both.level(b'a'), both.level(b'b'), both.gap()), (Some(1), None, Some(2)));
        assert_eq!(dna.text(&[3, 4, UNKNOWN_LETTER]), "T-?");
    }

    #[test]
    fn bases_that_are_read_as_amino_acids_are_doubted() {
        let protein: Alphabet = "protein".parse().unwrap();
        let bases = "ACGTn-.".repeat(10);
        let said = protein.doubt(&counts(&bases)).unwrap();
        assert!(said.starts_with("all 50 letters are bases of DNA or RNA, but read as amino acids"), "{said}");
        for others in [&bases[1..], &*format!("{bases}W")] {
            assert_eq!(protein.doubt(&counts(others)), None, "{others}");
        }
        assert_eq!("dna".parse::<Alphabet>().unwrap().doubt(&counts(&bases)), None);
    }

    #[test]
    fn alphabets_are_inferred_from_their_letters() {
        let inferred = |text: &str, gaps| Alphabet::infer(&counts(text), gaps).map(|alphabet| alphabet.described());
        assert_eq!(inferred("ACGTACGTTTGACGTNACGTA", true).unwrap(), "dna (ACGT-)");
        assert_eq!(inferred("ACGUACGUUUGACGUNACGUA", false).unwrap(), "rna (ACGU)");
        assert_eq!(inferred("MKVLAAGIRSSWYFLLEEDDKX", true).unwrap(), "protein (ACDEFGHIKLMNPQRSTVWY-)");
        assert!(
            inferred("ACGT", true)
                .unwrap_err()
                .starts_with("4 letters are too few to infer the alphabet from: say --alphabet")
        );
        let digits = inferred("0123#45@-", true).unwrap_err();
        assert!(digits.starts_with("there are no letters, only digits, # and @: is this an alignment?"), "{digits}");
        assert!(inferred("--", true).unwrap_err().starts_with("0 letters are too few"));
        let words = inferred(&"BJOUZXBJOUZX".repeat(3), true).unwrap_err();
        assert!(
            words.starts_with("16 % of the letters are amino acids, too few for a protein: say --alphabet"),
            "{words}"
        );
    }
}
