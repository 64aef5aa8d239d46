//! The values of the verbs that load packages: download them, tell what is compiled and what is passed by, complete go.work.sum.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Parameters of `fetch`.
#[derive(Debug, Serialize)]
pub struct FetchParams<'a> {
    /// The module's folder.
    pub dir: &'a str,
    /// Packages that checks compile beside those of a plain build.
    pub loads: Vec<FetchLoad>,
    /// Variables for this request.
    pub env: BTreeMap<String, String>,
}

/// The packages that one command compiles, with their tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FetchLoad {
    /// The folder that it runs in.
    pub dir: String,
    /// Variables that choose files: `GOOS` and its like.
    pub env: BTreeMap<String, String>,
    /// Build tags.
    pub tags: Vec<String>,
    /// Package patterns.
    pub patterns: Vec<String>,
}

/// Answer of `fetch`, which nothing reads: what matters is that it came.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Fetched {}

/// Parameters of `compiled`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CompiledParams {
    /// The folder to run in.
    pub dir: String,
    /// Build tags.
    pub tags: Vec<String>,
    /// Package patterns.
    pub patterns: Vec<String>,
    /// Variables for this request.
    pub env: BTreeMap<String, String>,
}

/// Answer of `compiled`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Compiled {
    /// The packages that the patterns name.
    pub packages: Vec<Package>,
    /// Version by path of every module that the packages and their tests compile.
    pub modules: BTreeMap<String, String>,
}

/// A package of the project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Package {
    /// Its import path.
    pub import_path: String,
    /// True where it has tests.
    pub test_files: bool,
    /// Modules that the package compiles.
    pub depends_on: Vec<String>,
    /// Modules that its test binary compiles.
    pub tests_depend_on: Vec<String>,
}

/// Parameters of `worksums`.
#[derive(Debug, Serialize)]
pub struct WorkSumsParams<'a> {
    /// The `go.work` file.
    pub work: String,
    /// The loads that must write nothing; none asks which those are.
    pub quiet: Option<&'a [WorkLoad]>,
}

/// A part of a workspace that some go commands load, in the companion's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkLoad {
    /// `build`, `test`, `list` or `graph`.
    pub what: String,
    /// The members whose packages are loaded, from the folder of go.work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// Answer of `worksums`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct WorkSums {
    /// The loads that leave go.work.sum alone.
    pub quiet: Vec<WorkLoad>,
}

/// Parameters of `variants`.
#[derive(Debug, Serialize)]
pub struct VariantsParams {
    /// The module's folder.
    pub dir: String,
    /// Builds that somebody does already.
    pub also: Vec<Variant>,
}

/// A build for another system or with more tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Variant {
    /// The system; empty for the one at hand.
    pub goos: String,
    /// The tags that it has beside those of a plain build.
    pub tags: Vec<String>,
}

/// Answer of `variants`: the files that a plain build passes by.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Variants {
    /// True where a plain build compiles something.
    pub plain: bool,
    /// The tags of a plain build.
    pub tags: Vec<String>,
    /// The builds that somebody does already, then those that a file may need, the cheapest first.
    pub variants: Vec<Variant>,
    /// The files, sorted.
    pub files: Vec<OutsideFile>,
    /// The number of variants that somebody does already.
    #[serde(skip)]
    pub done: usize,
}

/// A file with imports that a plain build passes by.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OutsideFile {
    /// The file, from the module's folder.
    pub file: String,
    /// Its folder, from there.
    pub dir: String,
    /// True for a file of tests.
    pub test: bool,
    /// The modules that it imports.
    pub modules: Vec<String>,
    /// The packages of a file that keeps commands in go.mod and cannot be compiled itself; empty for any other.
    pub tools: Vec<String>,
    /// The variants that compile it, by position.
    pub variants: Vec<usize>,
    /// The build line.
    pub wants: String,
}
