//! The identities in a plan: a project, and a dependency of one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{EcosystemKind, Place, Role};

/// A project of a repository. For people, and in JSON, it is the ecosystem and the folder: `cargo crates/app`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ProjectId {
    /// Its ecosystem.
    pub ecosystem: EcosystemKind,
    /// Its folder from the repository's root; `.` is the root.
    pub path: String,
}

impl ProjectId {
    /// The project of an ecosystem in a folder.
    #[must_use]
    pub fn new(ecosystem: EcosystemKind, path: impl Into<String>) -> Self {
        Self { ecosystem, path: path.into() }
    }

    /// The order of plans and reports: all projects of a folder together.
    #[must_use]
    pub fn by_folder(&self) -> (&str, EcosystemKind) {
        (&self.path, self.ecosystem)
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ecosystem, self.path)
    }
}

impl From<ProjectId> for String {
    fn from(id: ProjectId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ProjectId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for ProjectId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(' ').ok_or_else(|| format!("`{text}` is no ecosystem and folder"))?;
        Ok(Self::new(parts.0.parse()?, parts.1))
    }
}

/// A dependency of a project, whatever becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyRef {
    /// The project that uses it; in JSON `ecosystem` and `project`.
    #[serde(flatten, with = "apart")]
    pub project: ProjectId,
    /// The name of the crate or module in its registry.
    pub name: String,
    /// The way in which the project comes to use it.
    #[serde(skip_serializing_if = "Role::is_direct", default)]
    pub role: Role,
    /// The places where it is required.
    #[serde(default)]
    pub places: Vec<Place>,
}

impl DependencyRef {
    /// The order of plans and reports.
    #[must_use]
    pub fn by_folder(&self) -> (&str, EcosystemKind, &str) {
        (&self.project.path, self.project.ecosystem, &self.name)
    }
}

/// A project as two fields beside others, `ecosystem` and `project`: for `#[serde(flatten, with = …)]`.
pub mod apart {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{EcosystemKind, ProjectId};

    #[derive(Serialize, Deserialize)]
    struct Apart {
        ecosystem: EcosystemKind,
        project: String,
    }

    /// Writes the two fields.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(id: &ProjectId, to: S) -> Result<S::Ok, S::Error> {
        Apart { ecosystem: id.ecosystem, project: id.path.clone() }.serialize(to)
    }

    /// Reads the two fields.
    ///
    /// # Errors
    /// A field that is missing or no ecosystem.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ProjectId, D::Error> {
        Apart::deserialize(from).map(|apart| ProjectId::new(apart.ecosystem, apart.project))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_ecosystem_and_folder_also_where_the_folder_has_blanks() {
        let id = ProjectId::new(EcosystemKind::Go, "my tools/x");
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(text, "\"go my tools/x\"");
        assert_eq!(serde_json::from_str::<ProjectId>(&text).unwrap(), id);
        for bad in ["\"cargo\"", "\"npm .\"", "1"] {
            assert!(serde_json::from_str::<ProjectId>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_dependency_has_its_project_as_two_fields() {
        let project = ProjectId::new(EcosystemKind::Cargo, ".");
        let one = DependencyRef { project, name: "serde".into(), role: Role::Direct, places: Vec::new() };
        let json = serde_json::json!({"ecosystem": "cargo", "project": ".", "name": "serde", "places": []});
        assert_eq!(serde_json::to_value(&one).unwrap(), json);
        assert_eq!(serde_json::from_value::<DependencyRef>(json).unwrap(), one);
    }
}
