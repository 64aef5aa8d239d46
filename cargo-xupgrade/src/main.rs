//! The binary: `cargo xupgrade …`, `cargo-xupgrade …`, and the hidden supervisor. Parsing, one call, one exit code.

use std::process::ExitCode;

use cargo_xupgrade::app;
use cargo_xupgrade::machine::supervisor;

fn main() -> ExitCode {
    let mut arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|word| word == supervisor::SUBCOMMAND) {
        return supervisor::main();
    }
    // Cargo calls its subcommands with their own name as the first argument.
    if arguments.get(1).is_some_and(|word| word == "xupgrade") {
        arguments.remove(1);
    }
    app::main(arguments)
}
