//! The identities in a plan: a project, a dependency of one, a version of a package, and an upgrade.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{EcosystemKind, Place, Role, Version};

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

/// A version of a package. For people, and in JSON: `name@version`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Target {
    /// The name of the crate or module.
    pub name: String,
    /// The version.
    pub version: Version,
}

impl Target {
    /// A version of a package.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<Version>) -> Self {
        Self { name: name.into(), version: version.into() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = text.rsplit_once('@').ok_or_else(|| format!("`{text}` is no name and version"))?;
        let version = Version::parse(version).map_err(|error| format!("`{text}`: {error}"))?;
        Ok(Self::new(name, version))
    }
}

/// An upgrade in the list of those that a trial or a commit has. In JSON: `cargo:name@version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UpgradeName {
    /// The ecosystem.
    pub ecosystem: EcosystemKind,
    /// The package, and the version that it moves to.
    pub target: Target,
}

impl fmt::Display for UpgradeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.ecosystem, self.target)
    }
}

impl FromStr for UpgradeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (ecosystem, target) = text.split_once(':').ok_or_else(|| format!("`{text}` names no ecosystem"))?;
        Ok(Self { ecosystem: ecosystem.parse()?, target: target.parse()? })
    }
}

/// The conversions from and to text that serde asks for.
macro_rules! as_text {
    ($($identity:ident)*) => {
        $(
            impl From<$identity> for String {
                fn from(one: $identity) -> Self {
                    one.to_string()
                }
            }

            impl TryFrom<String> for $identity {
                type Error = String;

                fn try_from(text: String) -> Result<Self, String> {
                    text.parse()
                }
            }
        )*
    };
}

as_text!(ProjectId Target UpgradeName);

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
    /// The errors of the serializer.
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
    fn a_name_with_an_at_sign_is_split_from_its_version_at_the_last_one() {
        let target: Target = "ex.com/a@b@v1.2.0".parse().unwrap();
        assert_eq!((target.name.as_str(), target.version.to_string().as_str()), ("ex.com/a@b", "v1.2.0"));
        let upgrade: UpgradeName = serde_json::from_str("\"go:ex.com/a@v1.2.0\"").unwrap();
        assert_eq!((upgrade.ecosystem, upgrade.to_string().as_str()), (EcosystemKind::Go, "go:ex.com/a@v1.2.0"));
        for bad in ["serde@1.0.0", "cargo:serde", "cargo:serde@one", "npm:a@1.0.0"] {
            assert!(bad.parse::<UpgradeName>().is_err(), "{bad}");
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
