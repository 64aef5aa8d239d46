//! Packages and targets in cargo's messages: their names, as cargo itself writes them in its errors, and the words that
//! select them.

use serde_json::Value;

/// The target of a package in a folder that a `compiler-artifact` message says was compiled; none of others, which are
/// dependencies.
pub fn built(message: &Value) -> Option<String> {
    let id = message["package_id"].as_str().filter(|id| id.starts_with("path+"))?;
    let target = described(&message["target"], &message["profile"])?;
    Some(format!("{} ({target})", package_of(id)?.0))
}

/// A target in cargo's words (`descriptive_pkg_name` in its job queue), from its description in cargo's messages; none for
/// a build script, which is a part of whatever its package builds.
fn described(target: &Value, profile: &Value) -> Option<String> {
    let name = target["name"].as_str().unwrap_or_default();
    let kind = target["kind"][0].as_str().unwrap_or_default();
    let what = match kind {
        "custom-build" => return None,
        "bin" | "example" | "test" | "bench" => format!("{kind} \"{name}\""),
        _ => "lib".to_owned(),
    };
    let is_harness = profile["test"] == true && !["test", "bench"].contains(&kind);
    Some(if is_harness { format!("{what} test") } else { what })
}

/// The words that select a target on the command line, from its description in cargo's messages; none where nothing does.
pub fn selector(target: &Value) -> Vec<String> {
    selector_of(target["kind"][0].as_str().unwrap_or_default(), target["name"].as_str().unwrap_or_default())
}

/// The words that select a target of this kind and name.
#[must_use]
pub fn selector_of(kind: &str, name: &str) -> Vec<String> {
    match kind {
        "lib" | "rlib" | "dylib" | "cdylib" | "staticlib" | "proc-macro" => vec!["--lib".into()],
        kind @ ("bin" | "test" | "example" | "bench") if !name.is_empty() => vec![format!("--{kind}"), name.into()],
        _ => Vec::new(),
    }
}

/// Name and version in a package id (the Cargo book, "Package ID specifications"):
/// `registry+https://…#name@1.0.0`, `path+file:///…/name#1.0.0`.
pub fn package_of(id: &str) -> Option<(String, String)> {
    let (place, spec) = id.rsplit_once('#')?;
    match spec.rsplit_once('@') {
        Some((name, version)) => Some((name.to_owned(), version.to_owned())),
        None => Some((place.rsplit('/').next()?.split('?').next()?.to_owned(), spec.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn targets_that_compiled_are_named_as_cargo_names_those_that_did_not() {
        let artifact = |kind: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///x/app#0.1.0","target":{{"kind":["{kind}"],"name":"a"}},"profile":{{"test":{test}}},"fresh":true}}"#
            )
        };
        let kinds = [("lib", false), ("proc-macro", true), ("bin", false), ("bin", true), ("test", true)];
        let compiled =
            kinds.map(|(kind, test)| artifact(kind, test)).join("\n") + "\n" + &artifact("custom-build", false);
        let built: BTreeSet<String> =
            compiled.lines().filter_map(|line| built(&serde_json::from_str(line).unwrap())).collect();
        let names = [r#"app (bin "a" test)"#, r#"app (bin "a")"#, "app (lib test)", "app (lib)", r#"app (test "a")"#];
        assert_eq!(built.iter().map(String::as_str).collect::<Vec<_>>(), names);
    }
}
