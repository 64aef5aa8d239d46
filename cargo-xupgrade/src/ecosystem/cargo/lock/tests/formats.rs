//! A lockfile that cargo moved to a newer format comes back in the old one, and says the same.

use super::*;

const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Format 4, as cargo writes it: two versions of `log`, one crate from git.
fn newest(log: &str) -> String {
    format!(
        "# by cargo\nversion = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"log 0.3.0\",\n \
         \"log {log}\",\n \"twig\",\n]\n\n[[package]]\nname = \"log\"\nversion = \"0.3.0\"\nsource = \"{REGISTRY}\"\n\
         checksum = \"{SUM}\"\n\n[[package]]\nname = \"log\"\nversion = \"{log}\"\nsource = \"{REGISTRY}\"\n\
         checksum = \"{SUM}\"\n\n[[package]]\nname = \"twig\"\nversion = \"0.1.0\"\n\
         source = \"git+https://git.test/twig?branch=a%2Fb#0123\"\n"
    )
}

fn third(log: &str) -> String {
    newest(log).replace("version = 4", "version = 3").replace("a%2Fb", "a/b")
}

fn second(log: &str) -> String {
    third(log).replace("version = 3\n\n", "")
}

fn first(log: &str) -> String {
    let twig = "git+https://git.test/twig?branch=a/b#0123";
    format!(
        "# by cargo\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"log 0.3.0 ({REGISTRY})\",\n \
         \"log {log} ({REGISTRY})\",\n \"twig 0.1.0 ({twig})\",\n]\n\n[[package]]\nname = \"log\"\nversion = \"0.3.0\"\n\
         source = \"{REGISTRY}\"\n\n[[package]]\nname = \"log\"\nversion = \"{log}\"\nsource = \"{REGISTRY}\"\n\n\
         [[package]]\nname = \"twig\"\nversion = \"0.1.0\"\nsource = \"{twig}\"\n\n[metadata]\n\
         \"checksum log 0.3.0 ({REGISTRY})\" = \"{SUM}\"\n\"checksum log {log} ({REGISTRY})\" = \"{SUM}\"\n\
         \"checksum twig 0.1.0 ({twig})\" = \"<none>\"\n"
    )
}

#[test]
fn a_lockfile_comes_back_in_the_format_that_it_was_in() {
    for (format, written) in [(1, first as fn(&str) -> String), (2, second), (3, third), (4, newest)] {
        assert_eq!(read(&written("0.4.0")).unwrap().version, format);
        assert_eq!(in_format_of(&written("0.4.0"), &newest("0.4.1")).unwrap(), written("0.4.1"), "format {format}");
    }
}

#[test]
fn lines_that_end_as_on_windows_stay_so() {
    let windows = |text: String| text.replace('\n', "\r\n");
    assert_eq!(in_format_of(&third("0.4.0"), &windows(newest("0.4.1"))).unwrap(), windows(third("0.4.1")));
}

#[test]
fn a_lockfile_that_is_in_an_older_format_than_before_is_left_as_it_is() {
    assert_eq!(in_format_of(&newest("0.4.0"), &second("0.4.1")).unwrap(), second("0.4.1"));
}
