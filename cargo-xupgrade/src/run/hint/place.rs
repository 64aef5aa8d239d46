//! Advice on a check that misses what is elsewhere by our doing: a variable that checks do not see, the programs that it
//! looks for in the target directory of a checkout, or a download. Pure.

use crate::phrases;
use crate::project::CONFIG_FILE;

/// The surroundings of a check, where they differ from those of a login in the checkout.
pub struct Surroundings<'a> {
    /// Names of variables that the caller has set and that checks do not see.
    pub withheld: &'a [String],
    /// The folder, from the root, that a plain build would write into.
    pub target: &'a str,
    /// The words out of these that tracked files have.
    pub in_sources: &'a dyn Fn(&[String]) -> Vec<String>,
}

/// The number of variables that are named at most.
const NAMED: usize = 5;

/// The variables of these that the output names, or, where it says that one is missing and not which, the sources.
pub fn of_variables(output: &str, around: &Surroundings<'_>) -> Option<String> {
    let is_word = |name: &&String| {
        output.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name.as_str())
    };
    // That one stands in the note below each panic.
    let withheld: Vec<String> = around.withheld.iter().filter(|name| *name != "RUST_BACKTRACE").cloned().collect();
    let told: Vec<String> = withheld.iter().filter(is_word).cloned().collect();
    let (who, names) = if !told.is_empty() {
        ("its output names", told)
    } else if phrases::system::is_variable_missing(output) {
        ("its output says that a variable is missing, and the sources name", (around.in_sources)(&withheld))
    } else {
        return None;
    };
    let names: Vec<String> = names.into_iter().take(NAMED).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{who} {}, set where this tool runs and not seen by checks; if the check needs it, put `pass-env = [{}]` at the \
             top of {CONFIG_FILE}",
            names.join(", "),
            quoted.join(", ")
        )
    })
}

/// A file that the output, or, where that says that one is missing and not which, the sources look for in the target
/// directory: checks build into one of their own. The output is without the path of that one.
pub fn of_target(output: &str, around: &Surroundings<'_>) -> Option<String> {
    let below = ["debug", "release"].map(|profile| format!("{}/{profile}", around.target));
    let who = if below.iter().any(|folder| output.contains(folder.as_str())) {
        "its output names"
    } else if phrases::system::is_file_missing(output) && !(around.in_sources)(&below).is_empty() {
        "its output says that a file is missing, and the sources name"
    } else {
        return None;
    };
    let target = around.target;
    let above = target.rsplit_once('/').map(|(above, _)| format!("mkdir -p {above}; ")).unwrap_or_default();
    Some(format!(
        "{who} a file in {target}, and checks build into a folder of their own (CARGO_TARGET_DIR); if the check needs it \
         there, put `commands = [[\"sh\", \"-c\", \"{above}ln -sfn $CARGO_TARGET_DIR {target}\"]]` under `[setup]` in {CONFIG_FILE}"
    ))
}

/// A download that the environment of checks refuses.
pub fn of_downloads(output: &str) -> Option<String> {
    let setting = if phrases::cargo::is_offline(output) {
        "CARGO_NET_OFFLINE = \"false\""
    } else if phrases::go::is_offline(output) {
        "GOPROXY = \"direct\""
    } else {
        return None;
    };
    Some(format!(
        "its output says that a download was refused, as checks run offline for cargo and go; if the check needs it, put \
         `env = {{ {setting} }}` under its `[[check]]` in {CONFIG_FILE}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around<'a>(withheld: &'a [String], in_sources: &'a dyn Fn(&[String]) -> Vec<String>) -> Surroundings<'a> {
        Surroundings { withheld, target: "target", in_sources }
    }

    #[test]
    fn a_variable_that_the_output_names_is_to_be_passed() {
        let names = ["DEMO", "DEMO_SDK", "RUST_BACKTRACE"].map(str::to_owned);
        let text = of_variables("environment variable `DEMO_SDK` not defined", &around(&names, &|_| vec![])).unwrap();
        assert!(text.contains("`pass-env = [\"DEMO_SDK\"]`"), "{text}");
        let note = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";
        assert_eq!(of_variables(note, &around(&names, &|_| vec![])), None);
        assert_eq!(of_variables("assertion failed", &around(&names, &|names| names.to_vec())), None);
    }

    #[test]
    fn a_missing_variable_without_a_name_is_looked_for_in_the_sources() {
        let names = ["OTHER".to_owned(), "SDK_DIR".to_owned()];
        let sources = |_: &[String]| vec!["SDK_DIR".to_owned()];
        let text = of_variables("called `Result::unwrap()` on an `Err` value: NotPresent", &around(&names, &sources));
        assert!(text.unwrap().contains("`pass-env = [\"SDK_DIR\"]`"));
    }

    #[test]
    fn a_download_that_is_refused_gets_the_variable_that_allows_it() {
        let cargo = "attempting to make an HTTP request, but --offline was specified";
        assert!(of_downloads(cargo).unwrap().contains("`env = { CARGO_NET_OFFLINE = \"false\" }`"));
        let go = "go: ex.com/gen@v1.0.0: module lookup disabled by GOPROXY=off";
        assert!(of_downloads(go).unwrap().contains("`env = { GOPROXY = \"direct\" }`"));
        assert_eq!(of_downloads("assertion failed"), None);
    }

    #[test]
    fn a_program_in_the_target_directory_of_a_checkout_gets_a_link() {
        let nothing = |_: &[String]| vec![];
        let text = of_target("not built: /cache/w0/tree/target/debug/demo", &around(&[], &nothing)).unwrap();
        assert!(text.contains("ln -sfn $CARGO_TARGET_DIR target\""), "{text}");
        let text = "called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound }";
        assert_eq!(of_target(text, &around(&[], &nothing)), None);
        assert!(of_target(text, &around(&[], &|words| words[..1].to_vec())).unwrap().contains("sources name"));
    }
}
