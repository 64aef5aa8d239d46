//! What a repository reads from outside of itself: configuration above it, files that git ignores, folders that are not
//! in it. Each end-to-end: the tool reads what the owner's own cargo and go read, or says why it does not.

use crate::common::{Env, text};

#[test]
fn configuration_above_the_repository_reaches_resolve_fetch_and_checks() {
    let env = Env::new("outside_config");
    // The world's own replacement of crates-io is gone: what is above the repository must do.
    std::fs::write(env.world.root.join("cargo-home/config.toml"), "").unwrap();
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    assert!(ran.stderr.contains("also read: ../.cargo/config.toml, ../../.cargo/config.toml\n"), "{}", ran.stderr);
}
