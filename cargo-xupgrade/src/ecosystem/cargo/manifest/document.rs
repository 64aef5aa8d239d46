//! A TOML document as a tree of values that know where they stand in the text; the one module that names `toml_edit`, which
//! is used as a parser only. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

use toml_edit::{Item, Key, TableLike, Value};

/// A manifest that could not be read, or an edit that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ManifestError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// A text and what it says.
pub(super) struct Document<'a> {
    /// The text, with its BOM if it has one.
    pub text: &'a str,
    /// The outermost table.
    pub root: Node,
}

/// One value of a document. Two are equal when they say the same, wherever they stand.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The bytes of its key, quotes included; empty for elements of arrays.
    pub key: Range<usize>,
    /// The bytes of the value; for a table, of its header or first key.
    pub span: Range<usize>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Text(String),
    Truth(bool),
    /// Numbers and times, as type and value.
    Other(String),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl<'a> Document<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let message = "these bytes are not UTF-8, which TOML requires; save the file as UTF-8";
            error_at(&before, before.len(), message.to_owned())
        })?;
        let parsed = toml_edit::Document::parse(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            conflict_marker(text)
                .unwrap_or_else(|| error_at(text, start, format!("this is no TOML: {}", error.message())))
        })?;
        Ok(Self { text, root: Node::new(None, parsed.as_item()) })
    }

    /// An error at this byte of the text.
    pub fn error(&self, offset: usize, message: String) -> ManifestError {
        error_at(self.text, offset, message)
    }

    /// The line, from 1, in which this byte stands.
    pub fn line_of(&self, offset: usize) -> usize {
        line_of(self.text, offset)
    }

    /// The node's key as the file spells it.
    pub fn spelling(&self, node: &Node) -> &'a str {
        &self.text[node.key.clone()]
    }
}

impl Node {
    /// The tree of an item that came from the parser, which gives each key and value its span.
    fn new(key: Option<&Key>, item: &Item) -> Self {
        let content = match item {
            Item::None => Content::Other(String::new()),
            Item::Value(value) => return Self::of_value(key, value),
            Item::Table(table) => Content::of_table(table),
            Item::ArrayOfTables(tables) => {
                let element = |table: &toml_edit::Table| Self::placed(None, table.span(), Content::of_table(table));
                Content::List(tables.iter().map(element).collect())
            }
        };
        Self::placed(key, item.span(), content)
    }

    fn of_value(key: Option<&Key>, value: &Value) -> Self {
        let content = match value {
            Value::String(text) => Content::Text(text.value().clone()),
            Value::Boolean(truth) => Content::Truth(*truth.value()),
            Value::Integer(number) => Content::Other(format!("integer {}", number.value())),
            Value::Float(number) => Content::Other(format!("float {}", number.value())),
            Value::Datetime(time) => Content::Other(format!("time {}", time.value())),
            Value::Array(array) => Content::List(array.iter().map(|value| Self::of_value(None, value)).collect()),
            Value::InlineTable(table) => Content::of_table(table),
        };
        Self::placed(key, value.span(), content)
    }

    fn placed(key: Option<&Key>, span: Option<Range<usize>>, content: Content) -> Self {
        let key = key.and_then(Key::span).or_else(|| span.clone()).unwrap_or_default();
        let span = span.unwrap_or_else(|| key.clone());
        Self { key, span, content }
    }

    /// What stands at a path of keys below this table.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// One key's value, when this is a table that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.child(name).map(|(_, node)| node)
    }

    /// As `get`, with the key.
    pub fn child(&self, name: &str) -> Option<(&str, &Self)> {
        match &self.content {
            Content::Table(table) => table.get_key_value(name).map(|(name, node)| (name.as_str(), node)),
            _ => None,
        }
    }

    /// The keys and values of a table, by key; nothing for other values.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        let table = match &self.content {
            Content::Table(table) => Some(table),
            _ => None,
        };
        table.into_iter().flatten().map(|(name, node)| (name.as_str(), node))
    }

    /// The elements of an array; nothing for other values.
    pub fn elements(&self) -> &[Self] {
        match &self.content {
            Content::List(elements) => elements,
            _ => &[],
        }
    }

    /// The text, when this is a string.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, when this is one.
    pub fn truth(&self) -> Option<bool> {
        match self.content {
            Content::Truth(truth) => Some(truth),
            _ => None,
        }
    }

    /// Whether this is a table, however it is written.
    pub fn is_table(&self) -> bool {
        matches!(self.content, Content::Table(_))
    }

    /// The same tree, but for the text at this path.
    pub fn with_text(&self, path: &[&str], new: &str) -> Self {
        let mut changed = self.clone();
        match (&mut changed.content, path) {
            (Content::Table(table), [first, rest @ ..]) => {
                if let Some(node) = table.get_mut(*first) {
                    *node = node.with_text(rest, new);
                }
            }
            (Content::Text(text), []) => new.clone_into(text),
            _ => {}
        }
        changed
    }
}

impl Content {
    fn of_table(table: &dyn TableLike) -> Self {
        let nodes = table.iter().map(|(name, item)| (name.to_owned(), Node::new(table.key(name), item)));
        Self::Table(nodes.collect())
    }
}

/// The first of git's conflict markers, when that is what is wrong.
fn conflict_marker(text: &str) -> Option<ManifestError> {
    let line = text.lines().position(|line| line.starts_with("<<<<<<< "))? + 1;
    Some(ManifestError { line, column: 1, message: "this is a conflict marker; finish the merge first".to_owned() })
}

fn error_at(text: &str, offset: usize, message: String) -> ManifestError {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1;
    ManifestError { line: line_of(text, offset), column, message }
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}
