//! Copies of index files on disk: cargo's own cache, which is read and never written, and a store of
//! ours beside it. A file of ours is one line of JSON (what to ask the registry with next time), then
//! the body as it came; its modification time is when the registry last vouched for it. Files appear
//! whole: written under another name, then renamed. The only module that names `tame-index`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tame_index::index::cache::{Revision, ValidCacheEntry};
use tame_index::index::sparse::HttpRevision;
use tame_index::index::{IndexLocation, IndexUrl};

use super::super::fetch::Validators;

/// The format number in the first line of our files; another number means: fetch anew.
const FORMAT: u32 = 1;

/// One copy of an index file.
#[derive(Debug)]
pub struct Copy {
    /// One JSON object per line, one line per version.
    pub body: Vec<u8>,
    /// What the registry recognises this copy by.
    pub validators: Validators,
    /// The file's modification time.
    pub taken: SystemTime,
}

impl Copy {
    /// Whether the registry vouched for this copy within `max_age`. A time in the future is a clock
    /// that was wrong once, so it vouches for nothing.
    #[must_use]
    pub fn is_fresh(&self, max_age: Duration) -> bool {
        SystemTime::now().duration_since(self.taken).is_ok_and(|age| age < max_age)
    }
}

/// The first line of a file of ours.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    length: usize,
    etag: Option<String>,
    last_modified: Option<String>,
}

/// The two folders of one sparse index.
#[derive(Debug)]
pub struct Store {
    own: PathBuf,
    cargos: PathBuf,
}

impl Store {
    /// The store of the index at `address` (`sparse+https://...`, or that of a git index): `<root>/<ident>` beside
    /// cargo's own cache below `cargo_home`, both with the folder name that cargo 1.85 and later give to this address.
    ///
    /// # Errors
    /// When cargo's folder name cannot be made from the address; the words say why.
    pub fn open(address: &str, cargo_home: &Path, root: &Path) -> Result<Self, String> {
        let location = IndexLocation {
            url: IndexUrl::NonCratesIo(address.into()),
            // Only the folder's name is wanted, and it does not depend on what is above it.
            root: tame_index::index::IndexPath::UserSpecified("home".into()),
            cargo_version: Some(semver::Version::new(1, 85, 0)),
        };
        let (folder, _) = location.into_parts().map_err(|why| why.to_string())?;
        let ident = folder.file_name().ok_or_else(|| format!("no folder name in {folder}"))?;
        let cargos = cargo_home.join("registry").join("index").join(ident).join(".cache");
        Ok(Self { own: root.join(ident), cargos })
    }

    /// Our copy of the file at `path` (as `se/rd/serde`), if it is there and whole.
    #[must_use]
    pub fn own(&self, path: &str) -> Option<Copy> {
        let file = self.own.join(path);
        let mut body = fs::read(&file).ok()?;
        let end = body.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&body[..end]).ok()?;
        body.drain(..=end);
        if head.format != FORMAT || head.length != body.len() {
            return None;
        }
        let validators = Validators { etag: head.etag, last_modified: head.last_modified };
        Some(Copy { body, validators, taken: modified(&file)? })
    }

    /// Cargo's copy of the file at `path`, if cargo has one in a format that is known here.
    #[must_use]
    pub fn cargos(&self, path: &str) -> Option<Copy> {
        let file = self.cargos_file(path);
        let bytes = fs::read(&file).ok()?;
        let entry = ValidCacheEntry::read(&bytes).ok()?;
        let mut body = Vec::with_capacity(entry.version_entries.len());
        // Version and line take turns, each closed by a zero byte.
        for line in tame_index::utils::split(entry.version_entries, 0).skip(1).step_by(2) {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        let validators = validators_of(&entry.revision);
        Some(Copy { body, validators, taken: modified(&file)? })
    }

    /// When cargo's copy of the file at `path` was taken, if it has one.
    #[must_use]
    pub fn cargos_taken(&self, path: &str) -> Option<SystemTime> {
        modified(&self.cargos_file(path))
    }

    /// Whether the registry said `auth-required` when cargo last asked it.
    #[must_use]
    pub fn wants_credentials(&self) -> bool {
        let config = self.cargos.parent().map(|folder| folder.join("config.json"));
        config.and_then(|file| fs::read(file).ok()).is_some_and(|config| super::entry::wants_credentials(&config))
    }

    /// Where cargo keeps its copy of the file at `path`.
    #[must_use]
    pub fn cargos_file(&self, path: &str) -> PathBuf {
        self.cargos.join(path)
    }

    /// Keeps a copy under `path`, in place of the one before.
    ///
    /// # Errors
    /// When the folder or the file cannot be written; the old copy then stays.
    pub fn keep(&self, path: &str, body: &[u8], validators: &Validators) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let file = self.own.join(path);
        let folder = file.parent().unwrap_or(&self.own);
        fs::create_dir_all(folder)?;
        let head = Head {
            format: FORMAT,
            length: body.len(),
            etag: validators.etag.clone(),
            last_modified: validators.last_modified.clone(),
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // A dot cannot open a crate's name, so a file left by a killed run is never read as one.
        let draft = folder.join(format!(".{}-{number}", std::process::id()));
        let written = write(&draft, &head, body).and_then(|()| fs::rename(&draft, &file));
        if written.is_err() {
            // The draft is only litter by now; the error that matters is the one returned.
            let _ = fs::remove_file(&draft);
        }
        written
    }

    /// Notes that the registry has just vouched for our copy of `path`.
    ///
    /// # Errors
    /// When the file's time cannot be set.
    pub fn vouch(&self, path: &str) -> io::Result<()> {
        File::options().append(true).open(self.own.join(path))?.set_modified(SystemTime::now())
    }
}

fn write(draft: &Path, head: &Head, body: &[u8]) -> io::Result<()> {
    let mut file = File::create(draft)?;
    serde_json::to_writer(&mut file, head)?;
    file.write_all(b"\n")?;
    file.write_all(body)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|meta| meta.modified()).ok()
}

fn validators_of(revision: &Revision<'_>) -> Validators {
    let mut validators = Validators::default();
    match revision {
        Revision::Http(HttpRevision::Etag(etag)) => validators.etag = Some((*etag).to_owned()),
        Revision::Http(HttpRevision::LastModified(date)) => {
            validators.last_modified = Some((*date).to_owned());
        }
        Revision::Git(_) | Revision::Unknown => {}
    }
    validators
}
