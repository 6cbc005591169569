//! Pages that know an end: a few bytes of a page may stand for a billion equal values.

use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use crate::memory::unpack::Allowance;

/// Bytes that a number takes that is a sample's value: as 32 bits, twice while more are added.
pub(super) const NUMBER: u64 = 8;

/// The same of a number in a list, which is read whole before its length is known.
pub(super) const LISTED: u64 = 20;

/// The same where 64 bits are kept.
pub(super) const LISTED_WIDE: u64 = 28;

/// Bytes that a label takes, which is a number in the end.
pub(super) const LABEL: u64 = 8;

/// The pages of a column as far as an [`Allowance`] goes; after that, an error.
pub(super) struct Pages {
    pub(super) from: Box<dyn PageReader>,
    pub(super) allowed: Allowance,
    /// Bytes that what is made of a value takes.
    pub(super) value: u64,
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.from.get_next_page()?;
        if let Some(page) = &page {
            let bytes = page.buffer().len() as u64 + self.value * u64::from(page.num_values());
            self.allowed.take(bytes).map_err(|error| ParquetError::General(error.to_string()))?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.from.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.from.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.from.at_record_boundary()
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::Encoding;

    /// One small page again and again, of a hundred million values as it says.
    struct Bomb;

    impl PageReader for Bomb {
        fn get_next_page(&mut self) -> Result<Option<Page>> {
            let (encoding, buf) = (Encoding::PLAIN, vec![0; 10].into());
            Ok(Some(Page::DictionaryPage { buf, num_values: 100_000_000, encoding, is_sorted: false }))
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<()> {
            Ok(())
        }
    }

    impl Iterator for Bomb {
        type Item = Result<Page>;

        fn next(&mut self) -> Option<Self::Item> {
            self.get_next_page().transpose()
        }
    }

    /// A file of 20 MiB may unpack to 6,000 MiB: three times 1,907 MiB of listed numbers, and no fourth.
    #[test]
    fn values_count_whatever_their_page_weighs() {
        let mut pages = Pages { from: Box::new(Bomb), allowed: Allowance::of(20 << 20), value: LISTED };
        for _ in 0..3 {
            assert!(pages.get_next_page().is_ok());
        }
        let error = pages.get_next_page().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("its 20971520 bytes unpack to more than 6000 MiB"), "{error}");
    }
}
