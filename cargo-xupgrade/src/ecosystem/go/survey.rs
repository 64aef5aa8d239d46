//! Lists the dependencies of a module with their releases, as the companion found them; of those that only others
//! require, the releases are known where they are retracted or asked for.
//! One request for a module; what concerns one dependency alone is its obstacle.

use std::path::Path;

use anyhow::Result;

use super::companion::Unanswered;
use super::protocol::{self, Failure, Requirement, SurveyParams, Surveyed};
use super::{Go, folder, from_root, reason};
use crate::candidate::{Dependency, DependencyRef, Pinned, Place, Reason, ReasonKind, Release, Role, Version};
use crate::clock::Instant;
use crate::ecosystem::{HeldWhole, Survey};
use crate::event::Event;
use crate::machine::mutex::lock;
use crate::project::TransitiveRule;
use crate::project::{Network, Project};

/// What a go.mod without a go line means (the Go modules reference, "go directive").
const NO_GO_LINE: &str = "1.16";

/// Surveys a module; what stands in the way of all its dependencies holds it whole.
pub fn survey(go: &Go<'_>, root: &Path, project: &Project) -> Result<Survey> {
    if project.obstacle.is_some() {
        return Ok(Ok(named_only(go, project)));
    }
    let params = SurveyParams {
        dir: &folder(root, &project.path)?,
        not_after: go.outlook.as_of.to_string(),
        offline: go.outlook.network == Network::Offline,
        transitive: match go.outlook.transitive {
            TransitiveRule::Withdrawn => "withdrawn",
            TransitiveRule::All => "all",
        },
    };
    let found: Surveyed = match go.ask("survey", &params, &format!("surveying {}", project.id())) {
        Ok(found) => found,
        Err(Unanswered::Failed(failure)) => {
            return Ok(Err(HeldWhole { reason: whole(root, &failure), dependencies: named_only(go, project) }));
        }
        Err(Unanswered::Broken(error)) => return Err(error),
    };
    let toolchain = Some(found.goversion.clone()).filter(|here| Some(here.as_str()) != go.local_version());
    go.learn(project, |known| {
        known.toolchain = toolchain;
        known.held = found.requirements.iter().filter(|one| one.hold.is_some()).map(|one| one.path.clone()).collect();
    });
    for requirement in found.requirements.iter().filter(|one| !one.deprecated.is_empty() && role(one).is_direct()) {
        // Once a run, though ten modules of a repository use it; the author's words may have many lines.
        if lock(&go.told).insert(requirement.path.clone()) {
            let words = requirement.deprecated.split_whitespace().collect::<Vec<_>>().join(" ");
            go.listener.tell(&Event::Warned { text: format!("{} is deprecated: {words}", requirement.path) });
        }
    }
    for text in found.requirements.iter().filter(|one| role(one).is_direct()).filter_map(older_in_time) {
        go.listener.tell(&Event::Warned { text });
    }
    if let Some(text) = unknown(&found) {
        go.listener.tell(&Event::Warned { text });
    }
    Ok(Ok(dependencies(project, &found)))
}

/// The dependencies of a module that is held whole, as the companion found them in its go.mod when it looked for modules:
/// names, versions and places, so that none of them vanishes. None where it could not look: nobody else reads a go.mod.
fn named_only(go: &Go<'_>, project: &Project) -> Vec<Dependency> {
    go.known(project).named.iter().map(|one| dependency(project, one, None)).collect()
}

/// The reason to hold a module whole. Its own go line above the Go at hand is no question of releases.
fn whole(root: &Path, failure: &Failure) -> Reason {
    let Reason { kind, text, evidence } = reason(failure);
    let text = from_root(root, &text);
    if kind != ReasonKind::GoLine {
        return Reason { kind, text, evidence };
    }
    let text =
        format!("{text}; install that Go, or let the go command choose among those installed (GOTOOLCHAIN=auto)");
    Reason::new(ReasonKind::ToolchainMissing, text)
}

/// Direct ones and tools were asked for by name.
fn role(requirement: &Requirement) -> Role {
    if requirement.kind == "indirect" { Role::Transitive } else { Role::Direct }
}

/// Says of how many modules that only others require nobody can tell whether they are retracted.
fn unknown(found: &Surveyed) -> Option<String> {
    let failed = |one: &&Requirement| !role(one).is_direct() && one.error.is_some();
    let failed: Vec<&Requirement> = found.requirements.iter().filter(failed).collect();
    let (first, why) = failed.iter().find_map(|one| Some((*one, one.error.as_ref()?)))?;
    let others = if failed.len() == 1 { String::new() } else { format!(" and {} more", failed.len() - 1) };
    Some(format!("cannot tell whether {}{others} (indirect) is retracted: {}", first.path, reason(why).text))
}

/// Says that the highest release came out before the version in use: a branch that may lack the fixes of the later date.
fn older_in_time(requirement: &Requirement) -> Option<String> {
    let date = |text: &Option<String>| text.as_deref().and_then(|text| Instant::parse(text).ok());
    let highest = requirement.releases.iter().find_map(|one| release(requirement, one).filter(is_target))?;
    let (before, after) = (date(&requirement.time)?, highest.published?);
    let Requirement { path, version, .. } = requirement;
    (after < before).then(|| {
        let (before, after, to) = (before.date(), after.date(), &highest.version);
        format!("{path} {to} came out on {after}, before {version} ({before}), which is in use: it may lack fixes of that date")
    })
}

fn is_target(release: &Release) -> bool {
    !release.withdrawn && !release.version.is_prerelease() && release.unfit.is_none()
}

/// The dependencies in the companion's answer.
fn dependencies(project: &Project, found: &Surveyed) -> Vec<Dependency> {
    let line = if found.go.is_empty() { NO_GO_LINE } else { &found.go };
    found.requirements.iter().map(|one| dependency(project, one, Some(line))).collect()
}

fn dependency(project: &Project, requirement: &Requirement, line: Option<&str>) -> Dependency {
    let table = if requirement.kind == "tool" { "tool" } else { "require" };
    let place = |manifest: &String| Place {
        manifest: manifest.clone(),
        table: table.into(),
        key: requirement.path.clone(),
        registry: None,
    };
    Dependency {
        id: DependencyRef {
            project: project.id(),
            name: requirement.path.clone(),
            role: role(requirement),
            places: project.manifests.iter().filter(|_| !requirement.unlisted).map(place).collect(),
        },
        at: Version::parse(&requirement.version).ok(),
        over: [].into(),
        releases: requirement.releases.iter().filter_map(|one| release(requirement, one)).collect(),
        toolchain: line.map(str::to_owned),
        urgent: urgent(requirement),
        pinned: Pinned::No,
        switch: None,
        cooldown: None,
        newest_unknown: newest_unknown(requirement),
        obstacle: obstacle(requirement),
    }
}

fn urgent(requirement: &Requirement) -> Option<String> {
    let Requirement { path, version, retracted, .. } = requirement;
    let why = format!("{path} {version} is retracted: {}", retracted.join("; "));
    let leads_up = requirement.releases.iter().filter_map(|one| release(requirement, one)).any(|one| is_target(&one));
    let below = &requirement.sound_below;
    match retracted.as_slice() {
        [] => None,
        _ if leads_up || below.is_empty() => Some(why),
        _ => Some(format!("{why} (the lower {below} is not, and going down is your choice: `go get {path}@{below}`)")),
    }
}

/// The reason for which nobody can tell the newest release as of a past instant.
fn newest_unknown(requirement: &Requirement) -> Option<Reason> {
    let why = match requirement.newest_unknown.as_str() {
        "" => return None,
        "untagged" => "it had no release, and of its commits the registry tells the newest of today only",
        _ => "the list of its releases lacks some that the registry has",
    };
    let text = format!(
        "what was newest as of then cannot be known: {why}; run without `--as-of`, or name a version to `go get`"
    );
    Some(Reason::new(ReasonKind::NewestUnknown, text))
}

fn obstacle(requirement: &Requirement) -> Option<Reason> {
    if let Some(why) = &requirement.hold {
        let why = if why.is_empty() { "no reason given" } else { why };
        return Some(Reason::new(ReasonKind::HeldByUser, format!("a comment in go.mod holds it: {why}")));
    }
    if let Some(other) = &requirement.replaced {
        return Some(replaced(other));
    }
    requirement.error.as_ref().map(reason)
}

fn replaced(other: &protocol::Replacement) -> Reason {
    if other.local {
        return Reason::new(
            ReasonKind::PathSource,
            format!("a `replace` line takes it from the folder {}", other.path),
        );
    }
    let text = format!(
        "a `replace` line puts {} {} in its place: a raise would change nothing, or turn that line off",
        other.path, other.version
    );
    Reason::new(ReasonKind::Replaced, text)
}

/// A release; `None` for one whose version is none.
fn release(requirement: &Requirement, one: &protocol::Release) -> Option<Release> {
    // A `+incompatible` tag comes from before modules: a high number without a go.mod behind it. Who is not on that line
    // already is not led there, as `go list -m -u` does not either once a release has a go.mod.
    let old_line = one.incompatible && !requirement.incompatible;
    Some(Release {
        version: Version::parse(&one.version).ok()?,
        published: one.time.as_deref().and_then(|text| Instant::parse(text).ok()),
        withdrawn: one.retracted || requirement.excluded.contains(&one.version) || old_line,
        needs: Some(one.go.clone()).filter(|line| !line.is_empty()),
        unfit: unfit(one),
    })
}

fn unfit(one: &protocol::Release) -> Option<Reason> {
    if !one.path_ok {
        let named = if one.declares.is_empty() { String::new() } else { format!(", {}", one.declares) };
        let text = format!("{} declares another module path than the one that is required{named}", one.version);
        return Some(Reason::new(ReasonKind::ResolveRefused, text));
    }
    one.error.as_ref().map(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::policy::{Decision, Policy, decide};

    fn surveyed(requirements: &str) -> Vec<Dependency> {
        let json = format!(
            r#"{{"goversion": "go1.26.8", "module": "ex.com/app", "go": "1.24", "requirements": [{requirements}]}}"#
        );
        let module = Project::of(EcosystemKind::Go, "app", &["app/go.mod"]);
        dependencies(&module, &serde_json::from_str(&json).unwrap())
    }

    fn decided(requirements: &str) -> Decision {
        decide(&surveyed(requirements)[0], &Policy::of("2026-01-01T00:00:00Z"))
    }

    const OLD: &str = "\"2025-01-01T00:00:00Z\"";

    #[test]
    fn what_only_others_require_is_transitive_and_has_a_place_only_where_go_mod_lists_it() {
        let found = surveyed(
            r#"{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "releases": []},
               {"path": "ex.com/b", "version": "v1.0.0", "kind": "indirect", "releases": []},
               {"path": "ex.com/c", "version": "v1.0.0", "kind": "tool", "releases": []},
               {"path": "ex.com/d", "version": "v1.0.0", "kind": "indirect", "unlisted": true, "releases": []}"#,
        );
        let roles: Vec<(Role, Option<&str>)> =
            found.iter().map(|one| (one.id.role, one.id.places.first().map(|place| place.table.as_str()))).collect();
        let (direct, transitive) = (Role::Direct, Role::Transitive);
        assert_eq!(
            roles,
            [(direct, Some("require")), (transitive, Some("require")), (direct, Some("tool")), (transitive, None)]
        );
        assert_eq!(found[0].id.places[0].manifest, "app/go.mod");
    }

    #[test]
    fn an_indirect_module_without_an_answer_is_told_of_once_and_not_listed() {
        let broken = r#"{"kind": "indirect", "version": "v1.0.0", "path": "ex.com/b", "error": {"code": "auth", "message": "403 Forbidden"}}"#;
        let again = broken.replace("ex.com/b", "ex.com/c");
        let found = serde_json::from_str(&format!(r#"{{"requirements": [{broken}, {again}]}}"#)).unwrap();
        let said = unknown(&found).unwrap();
        assert_eq!(
            said,
            "cannot tell whether ex.com/b and 1 more (indirect) is retracted: its source refuses it: 403 Forbidden"
        );
        assert_eq!(decided(broken), Decision::Unlisted);
        assert_eq!(unknown(&Surveyed::default()), None);
    }

    #[test]
    fn a_release_above_the_go_line_is_left_out_and_named_beside_the_ladder() {
        let decision = decided(&format!(
            r#"{{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "releases": [
                {{"version": "v1.2.0", "time": {OLD}, "go": "1.24.1", "path_ok": true}},
                {{"version": "v1.1.0", "time": {OLD}, "go": "1.24.0", "path_ok": true}}]}}"#
        ));
        let Decision::Candidate(candidate) = decision else { panic!("{decision:?}") };
        assert_eq!(candidate.rungs.len(), 1);
        assert_eq!(candidate.rungs[0].version.to_string(), "v1.1.0");
        assert_eq!(candidate.beyond.unwrap().reason.kind, ReasonKind::GoLine);
    }

    #[test]
    fn retracted_excluded_and_incompatible_releases_are_never_a_target() {
        let decision = decided(&format!(
            r#"{{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "excluded": ["v1.3.0"], "releases": [
                {{"version": "v3.0.0+incompatible", "time": {OLD}, "path_ok": true, "incompatible": true}},
                {{"version": "v1.4.0", "time": {OLD}, "path_ok": true, "retracted": true}},
                {{"version": "v1.3.0", "time": {OLD}, "path_ok": true}}]}}"#
        ));
        assert!(matches!(decision, Decision::Newest(_)), "{decision:?}");
    }

    #[test]
    fn a_release_that_names_another_module_path_is_held_with_that_reason() {
        let decision = decided(&format!(
            r#"{{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "releases": [
                {{"version": "v1.1.0", "time": {OLD}, "path_ok": false}}]}}"#
        ));
        let Decision::Held(held) = decision else { panic!("{decision:?}") };
        assert_eq!(held.reason.kind, ReasonKind::ResolveRefused);
        assert!(held.reason.text.contains("another module path"), "{}", held.reason.text);
    }

    #[test]
    fn what_was_newest_at_a_past_instant_and_nobody_tells_is_not_called_newest() {
        let told = |unknown: &str, releases: &str| {
            decided(&format!(
                r#"{{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "newest_unknown": "{unknown}", "releases": [{releases}]}}"#
            ))
        };
        for (unknown, words) in [("untagged", "newest of today only"), ("cut", "lacks some")] {
            let Decision::Held(held) = told(unknown, "") else { panic!("{unknown}") };
            assert_eq!(held.reason.kind, ReasonKind::NewestUnknown);
            assert!(held.reason.text.contains(words) && held.reason.text.contains("without `--as-of`"), "{held:?}");
        }
        assert!(matches!(told("", ""), Decision::Newest(_)));
        let newer = format!(r#"{{"version": "v1.1.0", "time": {OLD}, "path_ok": true}}"#);
        assert!(matches!(told("cut", &newer), Decision::Candidate(_)));
    }

    #[test]
    fn the_retraction_of_the_version_in_use_is_an_urgent_reason() {
        let found = surveyed(
            r#"{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "retracted": ["It has a hole."], "releases": []}"#,
        );
        assert_eq!(found[0].urgent.as_deref(), Some("ex.com/a v1.0.0 is retracted: It has a hole."));
    }

    #[test]
    fn replaced_and_marked_requirements_are_held_whatever_is_newer() {
        let found = surveyed(
            r#"{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "hold": "until ticket 7", "releases": []},
               {"path": "ex.com/b", "version": "v1.0.0", "kind": "direct", "replaced": {"path": "../b", "local": true}, "releases": []},
               {"path": "ex.com/c", "version": "v1.0.0", "kind": "direct", "replaced": {"path": "ex.com/fork", "version": "v1.0.1"}, "releases": []}"#,
        );
        let reasons: Vec<&Reason> = found.iter().filter_map(|one| one.obstacle.as_ref()).collect();
        assert_eq!(
            reasons.iter().map(|one| one.kind).collect::<Vec<_>>(),
            [ReasonKind::HeldByUser, ReasonKind::PathSource, ReasonKind::Replaced]
        );
        assert!(reasons[0].text.contains("until ticket 7"));
        assert!(reasons[2].text.contains("ex.com/fork v1.0.1"));
    }

    #[test]
    fn a_refused_version_list_holds_that_module_with_the_proxys_words() {
        let found = surveyed(
            r#"{"path": "ex.com/a", "version": "v1.0.0", "kind": "direct", "releases": [],
                "error": {"code": "auth", "message": "module ex.com/a: reading https://proxy/ex.com/a/@v/list: 403 Forbidden", "retryable": false}}"#,
        );
        let reason = found[0].obstacle.as_ref().unwrap();
        assert_eq!(reason.kind, ReasonKind::RegistryRefused);
        assert!(reason.text.contains("403 Forbidden"), "{}", reason.text);
    }

    #[test]
    fn a_pseudo_version_after_the_last_tag_is_not_moved_down_to_it() {
        let decision = decided(&format!(
            r#"{{"path": "ex.com/ps", "version": "v0.1.1-0.20250102030405-abcdefabcdef", "kind": "direct", "pseudo": true, "releases": [
                {{"version": "v0.1.0", "time": {OLD}, "path_ok": true}}]}}"#
        ));
        assert!(matches!(decision, Decision::Newest(_)), "{decision:?}");
    }
}
