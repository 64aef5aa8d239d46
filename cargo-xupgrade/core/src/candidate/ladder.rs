//! A ladder in JSON: the rungs in full, and of the releases between them the versions.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xupgrade_search::Depth;

use super::{Rung, Version};

#[derive(Serialize)]
struct Shown<'a> {
    rungs: Vec<&'a Rung>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    between: Vec<&'a Version>,
}

#[derive(Deserialize)]
struct Read {
    rungs: Vec<Rung>,
    #[serde(default)]
    between: Vec<Version>,
}

pub(super) fn serialize<S: Serializer>(rungs: &[Rung], serializer: S) -> Result<S::Ok, S::Error> {
    let (steps, between): (Vec<&Rung>, Vec<&Rung>) = rungs.iter().partition(|rung| rung.depth == Depth::Rung);
    Shown { rungs: steps, between: between.into_iter().map(|rung| &rung.version).collect() }.serialize(serializer)
}

/// A release between two rungs is of the level of the rung above it, for that rung is the newest one of its level.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rung>, D::Error> {
    let Read { mut rungs, between } = Read::deserialize(deserializer)?;
    for version in between {
        let Some(above) = rungs.iter().position(|rung| rung.version > version) else {
            return Err(serde::de::Error::custom(format!("{version} lies above every rung")));
        };
        let rung = Rung { version, published: None, depth: Depth::Between, ..rungs[above].clone() };
        rungs.insert(above, rung);
    }
    Ok(rungs)
}

#[cfg(test)]
mod tests {
    use crate::candidate::{Candidate, Level, Version};
    use xupgrade_search::Depth;

    const TEXT: &str = r#"{"ecosystem":"cargo","name":"x","project":".","at":"1.2.0",
        "rungs":[{"version":"1.2.5","level":"patch","breaking":false,"published":null},
                 {"version":"1.4.0","level":"minor","breaking":false,"published":null}],
        "between":["1.2.1","1.2.3","1.3.0"],"places":[]}"#;

    #[test]
    fn a_ladder_is_written_as_rungs_and_what_lies_between_and_read_back_as_one_list() {
        let candidate: Candidate = serde_json::from_str(TEXT).unwrap();
        let all: Vec<String> = candidate.rungs.iter().map(|rung| rung.version.to_string()).collect();
        assert_eq!(all, ["1.2.1", "1.2.3", "1.2.5", "1.3.0", "1.4.0"]);
        let between = candidate.rungs.iter().filter(|rung| rung.depth == Depth::Between);
        let levels: Vec<Level> = between.map(|rung| rung.level).collect();
        assert_eq!(levels, [Level::Patch, Level::Patch, Level::Minor]);
        let steps: Vec<&Version> = candidate.steps().map(|rung| &rung.version).collect();
        assert_eq!(steps.len(), 2);
        let written = serde_json::to_value(&candidate).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(TEXT).unwrap());
    }

    #[test]
    fn a_release_above_every_rung_makes_no_ladder() {
        assert!(serde_json::from_str::<Candidate>(&TEXT.replace("1.3.0", "1.5.0")).is_err());
    }
}
