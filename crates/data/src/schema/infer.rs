//! What the columns of a sheet are, inferred from their values.
//!
//! One function for `check` and for every training. What it finds it says; where it cannot tell, it asks.

use std::path::PathBuf;

use super::asked::{asked, label, labelled, learned_by, weight, weights};
use super::columns::Schema;
use super::doubts;
use super::found::Found;
use super::kind::{ColumnKind, KindName};
use super::options::LoadOptions;
use super::questions::{Doubt, Question, ask};
use super::rescale::BYTE;
use super::scale::Scale;
use super::spelling::Spelling;
use super::survey::survey;
use super::visible::{ColumnUnits, VisibleUnits};
use crate::error::Error;
use crate::number::shown;
use crate::tables::sheet::Sheet;

/// Columns of whole numbers from 0 are grey levels, with one scale for all, where there are so many, or where 255
/// is the largest number.
const GREY_COLUMNS: usize = 8;

/// The same where numbers that are no grey levels have units of their own: the pixels of the smallest pictures.
const PIXELS: usize = 49;

/// Texts of a column, at most, that are its levels however few rows there are.
const FEW: usize = 12;

/// Texts of a column, at most, that are its levels.
const MOST_LEVELS: usize = 100;

/// Rows from which numbers that count them are an index.
const ROWS: usize = 8;

/// Names of columns that tell samples apart.
const INDICES: [&str; 8] = ["", "index", "id", "idx", "rowid", "row_id", "row", "unnamed: 0"];

/// A schema, and what is to be said of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inferred {
    pub(crate) schema: Schema,
    /// What was chosen where another choice is possible.
    pub(crate) notes: Vec<String>,
    /// What is unlikely to be meant.
    pub(crate) doubts: Vec<String>,
    /// One line on columns that may be meant otherwise, which `dbn check` alone shows.
    pub(crate) hint: Option<String>,
    /// How many different whole numbers each column has; 0 where they are many, or other values are among them.
    pub(crate) whole_levels: Vec<usize>,
    /// What cannot be inferred.
    questions: Vec<Question>,
}

/// The schema that is given, or else what is inferred of training data.
pub(crate) fn understand(sheet: &Sheet, options: &LoadOptions) -> Result<Inferred, Error> {
    match &options.schema {
        Some(schema) => {
            schema.validate()?;
            Ok(Inferred { schema: labelled(schema, sheet, options)?, ..Inferred::default() })
        }
        None => infer(sheet, options),
    }
}

/// Tells what the columns of training data are.
fn infer(sheet: &Sheet, options: &LoadOptions) -> Result<Inferred, Error> {
    let weights = weights(sheet, options)?;
    let found = survey(sheet, weights.as_deref());
    let learned_by = learned_by(options)?;
    let asked = asked(sheet, options)?;
    let label = label(sheet, options)?.or(sheet.label.filter(|&column| asked[column].is_none()));
    let telling = Telling { sheet, found: &found, options, learned_by, alphabet: alphabet(&found) };
    let open = |column: &usize| {
        let spoken_of = Some(*column) == label || asked[*column].is_some() || sheet.declared(*column).is_some();
        !spoken_of && !telling.is_index(*column)
    };
    let scale = telling.common(&(0..sheet.columns()).filter(open).collect::<Vec<_>>());
    let mut inferred = Inferred::default();
    let mut kinds = Vec::with_capacity(sheet.columns());
    for (column, asked) in asked.iter().enumerate() {
        kinds.push(match *asked {
            Some(KindName::Label) => ColumnKind::Label,
            _ if Some(column) == label => ColumnKind::Label,
            Some(kind) => telling.as_asked(column, kind)?,
            None if let Some(kind) = telling.of_all(column) => telling.as_asked(column, kind)?,
            None => telling.tell(column, &scale, &mut inferred)?,
        });
    }
    if !inferred.questions.is_empty() {
        return Err(ask(sheet, &inferred.questions, options));
    }
    inferred.whole_levels = found.iter().map(Found::whole_levels).collect();
    let bytes = scale == Common::Grey(255.0);
    inferred.doubts.extend(doubts::of(sheet, &found, &kinds, &|column| !bytes && open(&column)));
    if options.visible_units == VisibleUnits::Auto && learned_by == ColumnUnits::ByKind && !sheet.is_of_array() {
        let types = &options.column_types.0;
        inferred.hint = doubts::graded(sheet, &found, &kinds, types, &|column| open(&column));
    }
    // Where nothing varies, the columns are there all the same: it is for others to say that there is nothing to learn.
    if kinds.iter().all(|kind| kind.units() == 0) {
        for (kind, found) in kinds.iter_mut().zip(&found) {
            if *kind == ColumnKind::Ignored && found.is_numeric() {
                *kind = telling.real(found);
            }
        }
        for doubt in &mut inferred.doubts {
            *doubt = doubt.strip_suffix(": ignored").unwrap_or(doubt).to_string();
        }
    }
    if let Common::Grey(divisor) = scale {
        let other = if divisor == 255.0 { "MIN..MAX" } else { "255, or MIN..MAX," };
        inferred.notes.push(format!(
            "whole numbers from 0 to {divisor} in all columns: divided by {divisor} (--scale {other} for another range)"
        ));
    }
    let names = sheet.names.iter().flatten().map(|name| Some(name.clone())).chain(std::iter::repeat(None));
    let schema = Schema::new(names.zip(kinds), options.missing.clone());
    let own = schema.clone().with_units(ColumnUnits::ByKind);
    if options.visible_units == VisibleUnits::Auto && learned_by == ColumnUnits::Bernoulli && own != schema {
        inferred.notes.push(format!(
            "all columns are learned by Bernoulli units, for which --scale {} brings them into 0 to 1 (without --scale each \
             is learned by units of its own kind)",
            options.scale
        ));
    }
    inferred.schema = if learned_by == ColumnUnits::ByKind { own } else { schema };
    Ok(inferred)
}

/// What all columns of numbers have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Common {
    /// Nothing: each has its own range.
    Nothing,
    /// What was asked for.
    Asked { min: f64, max: f64 },
    /// Fractions from 0 to 1.
    Unit,
    /// Whole numbers from 0 to this one.
    Grey(f32),
    /// -1 and 1.
    Spin,
}

struct Telling<'a> {
    sheet: &'a Sheet,
    found: &'a [Found],
    options: &'a LoadOptions,
    learned_by: ColumnUnits,
    /// The different numbers of all columns, in their order.
    alphabet: Vec<String>,
}

impl Telling<'_> {
    /// The kind that all columns are asked for as, where this column can be meant.
    fn of_all(&self, column: usize) -> Option<KindName> {
        let found = &self.found[column];
        if self.is_index(column) || found.numbers + found.texts == 0 || found.infinite.is_some() {
            return None;
        }
        match self.options.visible_units {
            VisibleUnits::Auto | VisibleUnits::Bernoulli => None,
            // Of a table, what is constant tells nothing; an array keeps its columns.
            VisibleUnits::Gaussian => {
                (found.is_numeric() && (found.min < found.max || self.sheet.is_of_array())).then_some(KindName::Real)
            }
            VisibleUnits::Spin => Some(KindName::Spin),
            VisibleUnits::Categorical => Some(KindName::Categorical),
        }
    }

    /// A number by the range of its column, or by its mean and deviation.
    fn real(&self, found: &Found) -> ColumnKind {
        let deviation = found.deviation();
        let (offset, width) = match (self.learned_by, self.options.scale) {
            (ColumnUnits::ByKind, _) => (found.mean(), deviation),
            (_, Scale::Standard) => (found.mean() - 2.0 * deviation, 4.0 * deviation),
            _ => (found.min, found.max - found.min),
        };
        ColumnKind::real(offset, if width > 0.0 { width.min(f32::MAX.into()) } else { 1.0 })
    }

    /// Whether a column counts the rows or says that it tells them apart.
    fn is_index(&self, column: usize) -> bool {
        let found = &self.found[column];
        let name = self.sheet.names.as_ref().map(|names| names[column].to_ascii_lowercase());
        let counts = found.counts && found.rows >= ROWS;
        match name {
            None => counts && column == 0,
            Some(name) if name.is_empty() && column == 0 => found.whole && found.texts == 0,
            Some(name) => counts && (column == 0 || INDICES.contains(&name.as_str())),
        }
    }

    /// What the numbers of these columns have in common.
    fn common(&self, columns: &[usize]) -> Common {
        let numeric: Vec<&Found> =
            columns.iter().map(|&column| &self.found[column]).filter(|f| f.is_numeric()).collect();
        let min = numeric.iter().map(|found| found.min).fold(f64::INFINITY, f64::min);
        let max = numeric.iter().map(|found| found.max).fold(f64::NEG_INFINITY, f64::max);
        let whole = numeric.iter().all(|found| found.whole);
        match self.options.scale {
            Scale::Auto => {}
            Scale::None => return Common::Asked { min: 0.0, max: 1.0 },
            Scale::By255 => return Common::Asked { min: 0.0, max: 255.0 },
            Scale::Range { min, max } => return Common::Asked { min, max },
            Scale::MinMax if min < max => return Common::Asked { min, max },
            Scale::MinMax | Scale::MinMaxColumns | Scale::Standard => return Common::Nothing,
        }
        let spins = |found: &&Found| found.levels.as_ref().is_some_and(|l| l.iter().all(|&x| x == 1.0 || x == -1.0));
        if min == -1.0 && numeric.iter().all(spins) {
            return Common::Spin;
        }
        if min >= 0.0 && max <= 1.0 && !whole {
            return Common::Unit;
        }
        let varying = numeric.iter().filter(|found| found.min < found.max).count();
        let high = numeric.iter().filter(|found| found.min < found.max && 2.0 * found.max >= max).count();
        let grey = whole && min == 0.0 && (2.0..=255.0).contains(&max) && numeric.len() == columns.len();
        let least = if self.learned_by == ColumnUnits::ByKind { PIXELS } else { GREY_COLUMNS };
        if grey && (max == 255.0 || numeric.len() >= least) && 3 * high >= varying {
            return Common::Grey(if max >= f64::from(BYTE) { 255.0 } else { max as f32 });
        }
        Common::Nothing
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(&self.sheet.what)
    }

    fn refuse(&self, column: usize, reason: String) -> Error {
        Error::Column { path: self.path(), column: self.sheet.called(column), reason }
    }

    /// What a column that nobody spoke of is.
    fn tell(&self, column: usize, common: &Common, inferred: &mut Inferred) -> Result<ColumnKind, Error> {
        let found = &self.found[column];
        let called = self.sheet.called(column);
        if self.is_index(column) {
            let why = if found.counts { "counts the rows" } else { "has whole numbers and no name, as an index has" };
            inferred.notes.push(format!("column {called} {why}: ignored"));
            return Ok(ColumnKind::Ignored);
        }
        if found.numbers + found.texts == 0 {
            inferred.doubts.push(format!("column {called} has no value at all: ignored"));
            return Ok(ColumnKind::Ignored);
        }
        match self.sheet.declared(column) {
            Some([a, b]) => {
                let (off, on) = two(a, b);
                return Ok(ColumnKind::Binary { off, on });
            }
            Some([only]) => {
                inferred.doubts.push(format!("column {called} is {only:?} in every row: ignored"));
                return Ok(ColumnKind::Ignored);
            }
            Some(levels) => return Ok(ColumnKind::Categorical { levels: levels.to_vec() }),
            None => {}
        }
        if found.texts > 0 {
            return self.tell_texts(column, inferred);
        }
        if let Some(row) = found.infinite {
            let place = self.sheet.called_row(row);
            return Err(self.refuse(
                column,
                format!(
                    "{place} is infinite or too large for 32 bits, which end at 3.4e38: every value must be finite"
                ),
            ));
        }
        match *common {
            Common::Asked { min: 0.0, max } if max > 0.0 => return Ok(ColumnKind::Unit { divisor: max as f32 }),
            Common::Asked { min, max } => return Ok(ColumnKind::range(min, max)),
            Common::Unit => return Ok(ColumnKind::Unit { divisor: 1.0 }),
            Common::Grey(divisor) => return Ok(ColumnKind::Unit { divisor }),
            Common::Spin => return Ok(ColumnKind::Spin),
            Common::Nothing => {}
        }
        match found.levels.as_deref() {
            Some(&[x]) if x == 0.0 || x == 1.0 => Ok(binary(0.0, 1.0)),
            Some(&[x]) => {
                inferred.doubts.push(format!("column {called} is {} in every row: ignored", shown(x)));
                Ok(ColumnKind::Ignored)
            }
            Some(&[-1.0, 1.0]) if self.learned_by == ColumnUnits::ByKind => Ok(ColumnKind::Spin),
            Some(&[off, on]) => Ok(binary(off, on)),
            _ => Ok(self.real(found)),
        }
    }

    /// What a column with texts is.
    fn tell_texts(&self, column: usize, inferred: &mut Inferred) -> Result<ColumnKind, Error> {
        let (found, called) = (&self.found[column], self.sheet.called(column));
        let texts = &self.sheet.texts[column].distinct;
        let numbers = found.levels.as_deref();
        let mut question = |doubt| {
            inferred.questions.push(Question { column, doubt });
            Ok(ColumnKind::Ignored)
        };
        // Texts of one spelling are no levels, however few they are.
        let spelling = Spelling::of(&texts[0]);
        if let Some(spelling) = spelling
            && (texts.len() > 1 || found.numbers > 0)
            && texts.iter().all(|text| Spelling::of(text).is_some_and(|other| spelling.is_alike(other)))
        {
            return question(Doubt::Spelt { spelling, text: texts[0].clone() });
        }
        // A few texts among many numbers are slips or codes of something missing.
        let slips = found.numbers > 0 && 10 * found.texts < found.numbers + found.texts;
        let levels = numbers.map(|numbers| numbers.len() + texts.len());
        let few = |levels: usize| levels <= FEW || levels <= MOST_LEVELS && 4 * levels <= found.numbers + found.texts;
        if slips || found.numbers > 0 && !levels.is_some_and(few) {
            let row = found.first_text.unwrap_or_default();
            let line = self.sheet.lines.get(row).copied().unwrap_or_default();
            return question(Doubt::Slip { line, text: texts[0].clone() });
        }
        if found.numbers == 0 && texts.len() == 2 {
            let (off, on) = two(&texts[0], &texts[1]);
            return Ok(ColumnKind::Binary { off, on });
        }
        if found.numbers == 0 && texts.len() == 1 {
            inferred.doubts.push(format!("column {called} is {:?} in every row: ignored", texts[0]));
            return Ok(ColumnKind::Ignored);
        }
        if !levels.is_some_and(few) {
            return question(Doubt::ManyTexts { texts: texts.len(), rows: found.rows });
        }
        if found.numbers > 0 {
            inferred.doubts.push(format!("column {called} has numbers and texts, such as {:?}: categorical", texts[0]));
        }
        Ok(self.categorical(column))
    }

    /// The values of a column as levels: as they are declared, or else numbers by size, then texts in their order.
    fn categorical(&self, column: usize) -> ColumnKind {
        if let Some(levels) = self.sheet.declared(column) {
            return ColumnKind::Categorical { levels: levels.to_vec() };
        }
        if self.options.visible_units == VisibleUnits::Categorical
            && self.sheet.is_of_array()
            && self.sheet.names.is_none()
        {
            return ColumnKind::Categorical { levels: self.alphabet.clone() };
        }
        let numbers = self.found[column].levels.iter().flatten().copied().map(shown);
        let mut texts = self.sheet.texts[column].distinct.clone();
        texts.sort_unstable();
        ColumnKind::Categorical { levels: numbers.chain(texts).collect() }
    }

    /// A column of a kind that was asked for.
    fn as_asked(&self, column: usize, kind: KindName) -> Result<ColumnKind, Error> {
        let (found, texts) = (&self.found[column], &self.sheet.texts[column].distinct);
        let no = |expected: &str| {
            let value = match found.first_text {
                Some(_) => format!("{:?}", texts[0]),
                None => format!("{} to {}", shown(found.min), shown(found.max)),
            };
            self.refuse(column, format!("asked for as {kind}, which needs {expected}, but has {value}"))
        };
        let numeric = found.is_numeric() && found.min.is_finite() && found.max.is_finite();
        Ok(match kind {
            KindName::Ignored => ColumnKind::Ignored,
            KindName::Label => ColumnKind::Label,
            KindName::Weight => weight(self.sheet, found, column)?,
            KindName::Categorical if found.levels.is_none() || found.numbers + found.texts == 0 => {
                return Err(no("a few different values"));
            }
            KindName::Categorical => self.categorical(column),
            KindName::Binary => match (found.levels.as_deref(), texts.as_slice()) {
                (Some(&[off, on]), []) => binary(off, on),
                (Some(&[x]), []) if x == 0.0 || x == 1.0 => binary(0.0, 1.0),
                (Some([]), [a, b]) => {
                    let (off, on) = two(a, b);
                    ColumnKind::Binary { off, on }
                }
                _ => return Err(no("two different values")),
            },
            KindName::Spin => match found.levels.as_deref() {
                Some(levels) if numeric && levels.iter().all(|&x| x == 1.0 || x == -1.0) => ColumnKind::Spin,
                _ => return Err(no("-1 and 1")),
            },
            KindName::Unit if numeric && found.min >= 0.0 => {
                let max = found.max as f32;
                let byte = found.whole && (BYTE..=255.0).contains(&max);
                ColumnKind::Unit { divisor: if byte { 255.0 } else { max.max(1.0) } }
            }
            KindName::Unit => return Err(no("numbers from 0 up")),
            KindName::Real if numeric => self.real(found),
            KindName::Real => return Err(no("numbers")),
        })
    }
}

/// The different numbers of all columns that have few, in their order.
fn alphabet(found: &[Found]) -> Vec<String> {
    let mut levels: Vec<f64> = found.iter().filter_map(|found| found.levels.as_ref()).flatten().copied().collect();
    levels.sort_unstable_by(f64::total_cmp);
    levels.dedup();
    levels.into_iter().map(shown).collect()
}

fn binary(off: f64, on: f64) -> ColumnKind {
    ColumnKind::Binary { off: shown(off), on: shown(on) }
}

/// What means no, in the languages that many tables are in.
const NO: [&str; 22] = [
    "false", "no", "n", "f", "off", "absent", "negative", "nein", "falsch", "aus", "non", "faux", "falso", "não",
    "nao", "nej", "nei", "nie", "ne", "nem", "ei", "нет",
];

/// Two texts, the one that means no first; else in their order.
fn two(a: &str, b: &str) -> (String, String) {
    let no = |text: &str| NO.contains(&text.to_lowercase().as_str());
    let swap = if no(a) == no(b) { b < a } else { no(b) };
    if swap { (b.into(), a.into()) } else { (a.into(), b.into()) }
}
