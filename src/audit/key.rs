//! Keys in files: one signs receipts, another checkpoints.
//!
//! A key file is one line of base64 holding the 32 bytes of an Ed25519 seed, made on first start, readable by its owner
//! alone. It does not know what is signed.
//!
//! The invariant: a key never leaves its file and this type, and a file that others can read is not used.
//!
//! Where next: [`super::receipt`] and [`super::checkpoint`].

use std::{
    fmt, fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use rand_core::{OsRng, RngCore};

/// A line of base64 for 32 bytes, and no file much longer than it.
const LONGEST_KEY_FILE: u64 = 128;

/// Holds a private key.
pub struct Signer {
    key: SigningKey,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key file `{0}` cannot be read")]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("the key file `{0}` cannot be written")]
    Unwritable(PathBuf, #[source] io::Error),
    #[error("the key file `{0}` can be read by others; make it 0600")]
    Exposed(PathBuf),
    #[error("the key file `{0}` is not one line of base64 holding 32 bytes")]
    Malformed(PathBuf),
    #[error("there is no randomness for a key")]
    NoRandomness,
}

impl Signer {
    /// The key in this file; a file that is not there is made first.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        match Self::load(path) {
            Err(KeyError::Unreadable(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                create(path)?;
                // Whoever linked the file first, all use what it holds.
                Self::load(path)
            }
            loaded => loaded,
        }
    }

    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |error| KeyError::Unreadable(path.to_owned(), error);
        let file = fs::File::open(path).map_err(unreadable)?;
        if exposed(&file.metadata().map_err(unreadable)?) {
            return Err(KeyError::Exposed(path.to_owned()));
        }
        let mut line = String::new();
        file.take(LONGEST_KEY_FILE).read_to_string(&mut line).map_err(unreadable)?;
        let seed = BASE64.decode(line.trim_end()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Ok(Self::from_seed(&seed.ok_or_else(|| KeyError::Malformed(path.to_owned()))?))
    }

    /// A key that lives as long as the process: for the demonstration and for tests.
    pub fn fleeting() -> Result<Self, KeyError> {
        Ok(Self::from_seed(&new_seed()?))
    }

    fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    pub fn public_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// The same message always has the same signature: Ed25519 draws no randomness.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("public_key", &BASE64.encode(self.public_key().as_bytes())).finish()
    }
}

fn new_seed() -> Result<[u8; 32], KeyError> {
    let mut seed = [0; 32];
    OsRng.try_fill_bytes(&mut seed).map_err(|_| KeyError::NoRandomness)?;
    Ok(seed)
}

/// Writes a key beside its place and links it in: the file appears whole, and never over another key.
fn create(path: &Path) -> Result<(), KeyError> {
    let seed = new_seed()?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", uuid::Uuid::new_v4()));
    let draft = PathBuf::from(draft);
    let linked = write_private(&draft, &BASE64.encode(seed)).and_then(|()| match fs::hard_link(&draft, path) {
        // Another process was first: its key stands.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let tidied = fs::remove_file(&draft);
    linked.and(tidied).and_then(|()| sync_directory(path)).map_err(|error| KeyError::Unwritable(path.to_owned(), error))
}

fn write_private(path: &Path, line: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{line}")?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_directory(of: &Path) -> io::Result<()> {
    let directory = of.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_of: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn exposed(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn exposed(_metadata: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_is_private() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("receipt.key");
        let made = Signer::open(&path).expect("made");
        let again = Signer::open(&path).expect("loaded");
        assert_eq!(made.public_key(), again.public_key());
        assert_eq!(fs::read_dir(place.path()).expect("listed").count(), 1, "no draft is left");
        assert!(!exposed(&fs::metadata(&path).expect("a file")));
    }

    #[test]
    fn those_who_make_a_key_file_at_once_all_hold_the_same_key() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("receipt.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| Signer::open(&path))).collect();
            all.into_iter().map(|one| one.join().expect("no panic").expect("a key").public_key()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("receipt.key");
        Signer::open(&path).expect("made");
        for mode in [0o604, 0o640, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
            assert!(matches!(Signer::open(&path), Err(KeyError::Exposed(_))), "{mode:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_holds_no_key_is_refused_and_left_alone() {
        let place = tempfile::tempdir().expect("a directory");
        for (name, text) in [("empty", ""), ("short", "AAAA"), ("words", "not a key at all")] {
            let path = place.path().join(name);
            write_private(&path, text).expect("written");
            assert!(matches!(Signer::open(&path), Err(KeyError::Malformed(_))), "{name}");
            assert_eq!(fs::read_to_string(&path).expect("read").trim_end(), text);
        }
    }

    #[test]
    fn a_signer_does_not_show_its_key() {
        let signer = Signer::fleeting().expect("a key");
        assert!(!format!("{signer:?}").contains(&BASE64.encode(signer.key.to_bytes())));
    }
}
