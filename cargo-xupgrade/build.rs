//! Lists the source of the Go companion, so that it can be put into the program and built on the user's machine.
//! Tests stay outside; licences of vendored code come along. Writes only below `OUT_DIR`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let top = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("go-xupgrade");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", top.display());
    let mut files = Vec::new();
    collect(&top, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let text = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| io::Error::other(format!("{} is no UTF-8", path.display())))
        };
        let name = text(file.strip_prefix(&top).expect("it was found below the top"))?;
        writeln!(list, "    ({name:?}, include_bytes!({:?})),", text(file)?)
            .expect("writing into a string cannot fail");
    }
    list.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("companion.rs"), list)
}

/// The files that a build of the companion reads, and the licences beside them.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if is_wanted(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_wanted(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let source = path.extension().is_some_and(|kind| kind == "go") && !name.ends_with("_test.go");
    source || ["go.mod", "go.sum", "modules.txt", "LICENSE", "PATENTS"].contains(&name)
}
