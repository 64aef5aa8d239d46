//! TOML text to values: the one place that names the `toml` crate.
//! Everything that reads a TOML file (xupgrade.toml, the archives of the demo and of the fixtures) comes through here,
//! so that each mistake is told with its line and column. Manifests that are *edited* are not read here: they need bytes.

use serde::de::DeserializeOwned;

/// A TOML table: keys in sorted order.
pub use toml::Table;
/// Any TOML value.
pub use toml::Value;

/// What is wrong with a TOML text and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TomlError {
    /// Line of the mistake, from 1.
    pub line: usize,
    /// Column of the mistake in characters, from 1.
    pub column: usize,
    /// The parser's words, on one line.
    pub message: String,
}

/// Reads a TOML document as a table.
///
/// # Errors
/// The text is not TOML.
pub fn parse(text: &str) -> Result<Table, TomlError> {
    from_str(text)
}

/// Reads a TOML document into a type of the caller's.
///
/// # Errors
/// The text is not TOML, or does not have the shape of `T` (a wrong type, a key that is not known, a missing key).
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| locate(text, &error))
}

fn locate(text: &str, error: &toml::de::Error) -> TomlError {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    TomlError {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: one_line(error.message()),
    }
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the shape matters to these tests")]
    struct Shape {
        days: u32,
    }

    #[test]
    fn a_syntax_error_says_its_line_and_column() {
        let error = parse("a = 1\nb = = 2\n").unwrap_err();
        assert_eq!((error.line, error.column), (2, 5), "{error}");
    }

    #[test]
    fn an_unknown_key_is_pointed_at() {
        let error = from_str::<Shape>("days = 3\n\ndaze = 3\n").unwrap_err();
        assert_eq!((error.line, error.column), (3, 1), "{error}");
        assert!(error.message.contains("daze"), "{error}");
    }

    #[test]
    fn a_wrong_type_is_pointed_at_in_characters_not_bytes() {
        let error = from_str::<Shape>("# é\n\"days\" = \"drei\"\n").unwrap_err();
        assert_eq!((error.line, error.column), (2, 10), "{error}");
        let same_line = parse("a = \"é\" x\n").unwrap_err();
        assert_eq!((same_line.line, same_line.column), (1, 9), "{same_line}");
    }

    #[test]
    fn a_good_table_is_read() {
        let table = parse("[a]\nb = [1, 2]\n").unwrap();
        assert_eq!(table["a"]["b"].as_array().map(Vec::len), Some(2));
    }
}
