//! What is unlikely to be meant by the values of columns that were understood: codes for a missing value that count as
//! numbers, identifiers, levels that differ in case alone.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::found::{End, Found};
use super::kind::{ColumnKind, KindName};
use super::questions::{kinds, typed};
use crate::number::shown;
use crate::tables::sheet::{Cell, Content, Sheet};

/// Numbers that are used for missing values.
const CODES: [f64; 11] = [-1.0, -9.0, -99.0, -999.0, -9999.0, 9.0, 99.0, 999.0, 9999.0, -99_999.0, 99_999.0];

/// Rows with a code, at least.
const OFTEN: usize = 2;

/// Rows from which whole numbers that all differ may be identifiers, and the smallest such number.
const ROWS: usize = 20;
const FIVE_DIGITS: f64 = 10_000.0;

/// From here on floats of 32 bits are no longer all whole numbers.
const EXACT: f64 = 16_777_216.0;

/// Different numbers between the ends of a column that 32 bits should have room for.
const STEPS: f64 = 1000.0;

/// Different whole numbers of a column that may be grades or codes, and rows for each of them, at least.
const GRADES: RangeInclusive<usize> = 3..=10;
const ROWS_OF_GRADE: usize = 5;

/// Columns of such numbers that are named, at most: more are an array of numbers.
const GRADED: usize = 20;

/// Columns that are named of each doubt, at most.
const NAMED: usize = 5;

/// Columns that nobody spoke of are `open`.
pub(crate) fn of(sheet: &Sheet, found: &[Found], kinds_of: &[ColumnKind], open: &dyn Fn(usize) -> bool) -> Vec<String> {
    let of_text = sheet.lines.first().is_some_and(|&line| line > 0);
    let columns = || (0..sheet.columns()).filter(|&column| open(column));
    let numeric = |column: &usize| {
        let kind = &kinds_of[*column];
        matches!(kind, ColumnKind::Real { .. } | ColumnKind::Unit { .. } | ColumnKind::Binary { .. })
            && found[*column].is_numeric()
    };
    let mut doubts = Vec::new();
    if of_text {
        let numeric = || columns().filter(numeric);
        doubts.extend(few(numeric().filter_map(|column| code(sheet, &found[column], column))));
        doubts.extend(few(numeric().filter_map(|column| identifier(sheet, &found[column], column))));
    }
    if sheet.is_of_array() && sheet.names.is_none() {
        doubts.extend(few((0..sheet.columns()).filter_map(|column| rounded(sheet, &found[column], column))));
    }
    let levels = (0..sheet.columns()).filter(|&column| {
        matches!(kinds_of[column], ColumnKind::Binary { .. } | ColumnKind::Categorical { .. } | ColumnKind::Label)
    });
    doubts.extend(few(levels.filter_map(|column| same_letters(sheet, column))));
    doubts
}

/// One line on the `open` columns of few different whole numbers, which may be grades or codes, and what to type if they
/// are; `types` are what was said of other columns.
pub(crate) fn graded(
    sheet: &Sheet,
    found: &[Found],
    kinds_of: &[ColumnKind],
    types: &[(String, KindName)],
    open: &dyn Fn(usize) -> bool,
) -> Option<String> {
    let few = |found: &Found| {
        let levels = found.whole_levels();
        GRADES.contains(&levels) && found.numbers >= ROWS_OF_GRADE * levels
    };
    let is_graded =
        |&column: &usize| open(column) && matches!(kinds_of[column], ColumnKind::Real { .. }) && few(&found[column]);
    let columns: Vec<usize> = (0..sheet.columns()).filter(is_graded).collect();
    if columns.is_empty() || columns.len() > GRADED {
        return None;
    }
    let called: Vec<String> = columns.iter().map(|&column| sheet.called(column)).collect();
    let asked = columns.iter().map(|&column| (typed(sheet, column), KindName::Categorical));
    let option = kinds(&types.iter().cloned().chain(asked).collect::<Vec<_>>());
    let (columns, have) = if columns.len() == 1 { ("column", "has") } else { ("columns", "have") };
    Some(format!(
        "{columns} {} {have} few different whole numbers, which are learned as numbers: say {option} if they are grades or \
         codes, to learn each value as a level of its own",
        called.join(", ")
    ))
}

/// The first of them, and how many more there are.
fn few(doubts: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = doubts.collect();
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    if let (1.., Some(last)) = (more, all.last_mut()) {
        *last += &["; and likewise ", &more.to_string(), " more columns"].concat();
    }
    all
}

/// A code that comes often and lies farther from the next value than all the others are apart.
fn code(sheet: &Sheet, found: &Found, column: usize) -> Option<String> {
    let Found { min, max, low, high, .. } = *found;
    let stands_apart = |value: f64, end: End, other: f64| {
        let (gap, spread) = ((end.next - value).abs(), (other - end.next).abs());
        CODES.contains(&value) && end.count >= OFTEN && spread > 0.0 && spread.is_finite() && gap > spread
    };
    let (value, times, from, to) = if stands_apart(min, low, max) {
        (min, low.count, low.next, max)
    } else if stands_apart(max, high, min) {
        (max, high.count, min, high.next)
    } else {
        return None;
    };
    let called = sheet.called(column);
    Some(format!(
        "column {called}: {value} comes {times} times and lies apart from {from} to {to}: say --missing={value} if it means \
         a missing value"
    ))
}

/// Numbers of an array that 32 bits hold, which have few so close together and so far from 0: they may have been rounded.
fn rounded(sheet: &Sheet, found: &Found, column: usize) -> Option<String> {
    let (most, range) = (found.max.abs().max(found.min.abs()), found.max - found.min);
    let is_exact = found.whole && most < EXACT;
    let largest = most as f32;
    let steps = range / (f64::from(largest) - f64::from(largest.next_down()));
    let (called, min, max) = (sheet.called(column), shown(found.min), shown(found.max));
    let is_short = |cells: &[Cell]| match cells[column].content() {
        Content::Number(x) => f64::from(x as f32) == x,
        _ => true,
    };
    (found.is_numeric() && range > 0.0 && !is_exact && steps < STEPS && sheet.rows().all(is_short)).then(|| {
        format!(
            "column {called} has numbers of 32 bits, of which there are {:.0} from {min} to {max}: if they were rounded to \
             these, save 64 bits, or subtract an offset before",
            steps + 1.0
        )
    })
}

/// Numbers that tell rows apart, or that are written with zeros in front.
fn identifier(sheet: &Sheet, found: &Found, column: usize) -> Option<String> {
    let why = if sheet.padded.get(column) == Some(&true) {
        "has numbers with zeros in front, as codes have"
    } else if found.whole && found.numbers >= ROWS && found.min >= FIVE_DIGITS && all_differ(sheet, column) {
        "has whole numbers that all differ, as identifiers have"
    } else {
        return None;
    };
    let (called, name) = (sheet.called(column), typed(sheet, column));
    let [ignored, categorical] = [KindName::Ignored, KindName::Categorical].map(|kind| kinds(&[(name.clone(), kind)]));
    Some(format!("column {called} {why}, and is learned as a number: say {ignored} or {categorical} if it is none"))
}

/// Whether the numbers of a column all differ.
fn all_differ(sheet: &Sheet, column: usize) -> bool {
    let number = |cells: &[Cell]| match cells[column].content() {
        Content::Number(x) => Some(x),
        _ => None,
    };
    let mut numbers: Vec<f64> = sheet.rows().filter_map(number).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.windows(2).all(|pair| pair[0] < pair[1])
}

/// Levels that differ in case alone.
fn same_letters(sheet: &Sheet, column: usize) -> Option<String> {
    let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for text in &sheet.texts[column].distinct {
        spellings.entry(text.to_lowercase()).or_default().push(text);
    }
    let alike: Vec<String> =
        spellings.into_values().filter(|texts| texts.len() > 1).take(NAMED).map(|texts| texts.join(" and ")).collect();
    let called = sheet.called(column);
    (!alike.is_empty()).then(|| {
        format!(
            "column {called}: {} differ in case alone and are levels of their own: write them alike",
            alike.join(", ")
        )
    })
}
