//! Names of what is on the Hub: `user/repo[@revision][:file]`.

use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// A repository of the Hub, perhaps at a revision, perhaps one file of it. As text
/// `user/repo[@revision][:file]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `user/repo`.
    pub repo: String,
    /// A branch, tag or commit; the main branch where it is not said.
    pub revision: Option<String>,
    /// The path of a file in the repository.
    pub file: Option<String>,
}

impl Address {
    /// A branch, tag or commit.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// The name of the repository, without its owner.
    #[must_use]
    pub fn name(&self) -> &str {
        self.repo.split_once('/').map_or(self.repo.as_str(), |(_, name)| name)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repo)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        self.file.as_ref().map_or(Ok(()), |file| write!(f, ":{file}"))
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |hint| Error::Address { text: text.into(), hint };
        // Where only a name of the Hub can stand, the prefix that tells one elsewhere is no harm.
        let text = text.strip_prefix("hf:").unwrap_or(text);
        let (place, file) = text.split_once(':').map_or((text, None), |(place, file)| (place, Some(file)));
        let (repo, revision) = place.split_once('@').map_or((place, None), |(repo, rev)| (repo, Some(rev)));
        let part = |part: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && !part.starts_with(['.', '-']) && part.chars().all(known)
        };
        if !repo.split_once('/').is_some_and(|(user, name)| part(user) && part(name)) {
            return Err(refuse("expected user/repo[@revision][:file]"));
        }
        if !revision.is_none_or(is_file_name) {
            return Err(refuse("a revision is a branch, a tag or a commit"));
        }
        if !file.is_none_or(is_file_name) {
            return Err(refuse("a file is named by its path in the repository"));
        }
        Ok(Self { repo: repo.into(), revision: revision.map(Into::into), file: file.map(Into::into) })
    }
}

/// Whether a file of a repository may have this path: it stays below where it starts, on every platform,
/// and is one line. Names of the Hub become names in the cache and in folders of the user.
#[must_use]
pub fn is_file_name(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
    path.split('/').all(is_name) && !path.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_write_as_text() {
        for text in ["u/r", "u/r@v1.0", "u/r:a/b.csv", "u/r@refs/convert/parquet:x-y.parquet", "A-b/c_d.e"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let address: Address = "u/r@v:f".parse().unwrap();
        assert_eq!((address.revision(), address.name(), address.file.as_deref()), ("v", "r", Some("f")));
        assert_eq!("u/r".parse::<Address>().unwrap().revision(), "main");
        assert_eq!("hf:u/r@v:f".parse::<Address>().unwrap(), address);
    }

    /// What could leave the cache folder is no address.
    #[test]
    fn what_is_no_address_is_refused_with_the_part_that_is_wrong() {
        let hint = |text: &str| match text.parse::<Address>() {
            Err(Error::Address { hint, .. }) => hint,
            other => panic!("{text}: {other:?}"),
        };
        for text in ["", "mnist", "/r", "u/", "u/r/x", "../r", "u/..", "u r/x", "@v", "-u/r"] {
            assert_eq!(hint(text), "expected user/repo[@revision][:file]", "{text}");
        }
        for text in ["u/r@", "u/r@../v", "u/r@a//b", "u/r@a\\b", "u/r@a\nb"] {
            assert_eq!(hint(text), "a revision is a branch, a tag or a commit", "{text}");
        }
        for text in ["u/r:", "u/r:/etc/passwd", "u/r:a/../../b", "u/r:c:d", "u/r:a\n/etc/passwd", "u/r:a\u{85}b"] {
            assert_eq!(hint(text), "a file is named by its path in the repository", "{text}");
        }
    }
}
