//! Texts that a person reads as numbers or dates, though they are neither as they stand.

/// What a text is to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// A day, with or without a time: `2023-01-05`, `5.1.2023 12:30`.
    Date,
    /// `12%`.
    Percent,
    /// `$3.5`, `3,50 €`.
    Money,
    /// `1,234.50`, `1.000,5`, `1 000`.
    Grouped,
    /// `9,37`.
    DecimalComma,
}

impl Spelling {
    /// Of a text; nothing where it is an ordinary one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if is_date(text) {
            return Some(Self::Date);
        }
        let is_money = |sign: &char| ['$', '€', '£', '¥'].contains(sign);
        if let Some(rest) = text.strip_suffix('%') {
            return is_number(rest).then_some(Self::Percent);
        }
        let unsigned = text.trim_start_matches('-');
        let amount = unsigned.strip_prefix(|c| is_money(&c)).or_else(|| unsigned.strip_suffix(|c| is_money(&c)));
        if let Some(rest) = amount {
            return is_number(rest).then_some(Self::Money);
        }
        if is_grouped(text) {
            return Some(Self::Grouped);
        }
        let comma = text.matches(',').count() == 1 && text.replace(',', ".").parse::<f64>().is_ok();
        comma.then_some(Self::DecimalComma)
    }

    /// Whether texts of both are values of one column.
    pub(crate) fn is_alike(self, other: Self) -> bool {
        (self == Self::Date) == (other == Self::Date)
    }

    /// What many of them are called.
    pub(crate) fn called(self) -> &'static str {
        match self {
            Self::Date => "dates",
            Self::Percent => "numbers with a percent sign",
            Self::Money => "numbers with a sign of money",
            Self::Grouped => "numbers with marks between the thousands",
            Self::DecimalComma => "numbers with a decimal comma",
        }
    }
}

/// A number, however its thousands and decimals are marked.
fn is_number(text: &str) -> bool {
    let text = text.trim();
    let begins = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    begins && (text.replacen(',', ".", 1).parse::<f64>().is_ok() || is_grouped(text))
}

/// Digits in groups of three behind the first, and decimals behind another mark than parts the groups.
fn is_grouped(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '+']);
    let Some(mark) = text.chars().find(|c| !c.is_ascii_digit()) else { return false };
    if ![',', '.', ' ', '\'', '\u{a0}', '\u{202f}'].contains(&mark) {
        return false;
    }
    let decimal = match mark {
        ',' => ".",
        '.' => ",",
        _ => ".,",
    };
    let (whole, decimals) = text.split_once(|c| decimal.contains(c)).unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(mark);
    let first = groups.next().is_some_and(|first| digits(first) && first.len() <= 3 && !first.starts_with('0'));
    first && whole.contains(mark) && groups.all(|group| digits(group) && group.len() == 3) && digits(decimals)
}

/// A day of four digits for the year, in any of the usual orders, and a time of it.
fn is_date(text: &str) -> bool {
    let end = text.find([' ', 'T']).unwrap_or(text.len());
    let (day, time) = text.split_at(end);
    let Some(mark) = day.chars().find(|c| !c.is_ascii_digit()).filter(|c| "-/.".contains(*c)) else { return false };
    let parts: Vec<Option<(usize, u32)>> = day.split(mark).map(|part| Some((part.len(), part.parse().ok()?))).collect();
    let small = |part: (usize, u32)| part.0 <= 2 && (1..=31).contains(&part.1);
    let is_day = match parts.as_slice() {
        [Some((4, _)), Some(a), Some(b)] | [Some(a), Some(b), Some((4, _))] => {
            small(*a) && small(*b) && a.1.min(b.1) <= 12
        }
        _ => false,
    };
    is_day && time.chars().all(|c| c.is_ascii_digit() || " T:.+-ZAPMapm".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_a_person_reads() {
        use Spelling::{Date, DecimalComma, Grouped, Money, Percent};
        for (texts, want) in [
            (vec!["2023-01-05", "05.01.2023", "1/5/2023", "2023-01-05T12:30:00Z", "5/1/2023 9:05 PM"], Some(Date)),
            (vec!["12%", "0.5 %", "1,5%"], Some(Percent)),
            (vec!["$3.5", "3,50 €", "-$1,000.00"], Some(Money)),
            (vec!["1,234.50", "1.000,5", "1 000,0", "12'345", "1,234", "-1,234,567"], Some(Grouped)),
            (vec!["9,37", "-0,5", "0,125"], Some(DecimalComma)),
            (vec!["1.2.3", "2023-13-45", "red", "%", "$", "a,b", "1,2,3", "10:30", "#1", "", "-", "5 days"], None),
        ] {
            for text in texts {
                assert_eq!(Spelling::of(text), want, "{text}");
            }
        }
    }
}
