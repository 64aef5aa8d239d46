//! Go's rules.

use super::{Copies, Edits, Facts, Followers, Rules, Withdrawals};
use crate::candidate::{Level, Promise, Reason, ReasonKind, Version, toolchain_exceeds};
use crate::partner::without_major;

/// Go modules.
pub(super) struct Go;

static FACTS: Facts = Facts {
    manifest: "go.mod",
    toolchain_variable: "GOTOOLCHAIN",
    copies: Copies::One,
    followers: Followers::SameVersions,
    edits: Edits::Always,
    // A retraction stands in the go.mod of a release (the Go modules reference, "retract directive").
    withdrawals: Withdrawals::Dated,
};

impl Rules for Go {
    fn promise(&self, package: &str) -> Promise {
        if names_major(package) { Promise::Path } else { Promise::FirstNumber }
    }

    /// Below 1.21 a go line is advice: the go command takes the release and leaves the module's own line as it is
    /// (go.dev/doc/toolchain; `gover.GoStrictVersion` in the go command). Seen on spf13/cobra: go 1.15, a release of go 1.16.
    fn floor(&self, release: &Version, needs: &str, has: &str) -> Option<Reason> {
        const STRICT: &str = "1.21";
        let is_above = toolchain_exceeds(needs, has) && !toolchain_exceeds(STRICT, needs);
        let text =
            format!("{release} needs Go {needs}, and the module's go line says {has}; `go get go@{needs}` raises it");
        is_above.then(|| Reason::new(ReasonKind::GoLine, text))
    }

    fn is_meant(&self, package: &str, word: &str) -> bool {
        let below = word.strip_prefix(package);
        let below = below.is_some_and(|rest| rest.starts_with('/') && without_major(word) != package);
        package == word || below || without_major(package).rsplit('/').next() == Some(word)
    }

    /// A new major path is riskier, as every import of it changes; `+incompatible` has no such path.
    fn risk_of_breaking(&self, level: Level, release: &Version) -> u32 {
        let is_path = level == Level::Major && !release.to_string().ends_with("+incompatible");
        if is_path { 400 } else { 300 }
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }
}

/// True for a module path that ends in its major.
fn names_major(path: &str) -> bool {
    let mark = if path.starts_with("gopkg.in/") { ".v" } else { "/v" };
    let number = path.rsplit_once(mark).map(|(_, number)| number.strip_suffix("-unstable").unwrap_or(number));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::level;

    fn step(name: &str, from: &str, to: &str) -> Level {
        let promise = Go.promise(name);
        level(promise, &Version::parse(from).unwrap(), &Version::parse(to).unwrap())
    }

    #[test]
    fn a_step_is_no_major_one_where_the_path_names_the_major() {
        const COMMIT: &str = "v0.0.0-20190722091654-a4f3d5b8a51e";
        for (name, from, to, expected) in [
            ("gopkg.in/yaml.v1", COMMIT, "v1.0.0", Level::Minor),
            ("gopkg.in/yaml.v1", COMMIT, "v1.2.0", Level::Minor),
            ("gopkg.in/yaml.v1", "v1.2.0", "v1.2.1", Level::Patch),
            ("gopkg.in/user/x.v1-unstable", COMMIT, "v1.0.0", Level::Minor),
            ("ex.com/yaml", COMMIT, "v1.0.0", Level::Major),
            ("ex.com/yaml.v1", COMMIT, "v1.0.0", Level::Major),
            ("ex.com/yaml/v2", "v2.0.0", "v2.1.0", Level::Minor),
            ("ex.com/yaml/vx", "v0.1.0", "v1.0.0", Level::Major),
            ("ex.com/old", "v2.0.0+incompatible", "v3.0.0+incompatible", Level::Major),
        ] {
            assert_eq!(step(name, from, to), expected, "{name} {from} {to}");
        }
    }

    #[test]
    fn a_go_line_below_the_first_that_is_strict_is_advice() {
        let version = Version::parse("v1.1.0").unwrap();
        assert!(Go.floor(&version, "1.16", "1.15").is_none());
        assert!(Go.floor(&version, "1.22", "1.15").is_some());
    }
}
