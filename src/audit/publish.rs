//! Checkpoints kept outside the database, where whoever rolls the database back does not roll them back too.
//!
//! It does not know what a checkpoint says.
//!
//! The invariant: the file holds one whole note, the old one or the new one, whenever the machine stops.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

/// A file that holds the newest checkpoint.
#[derive(Clone, Debug)]
pub struct CheckpointFile(PathBuf);

/// The checkpoint is not outside the database.
#[derive(Debug, thiserror::Error)]
#[error("the checkpoint file `{file}` cannot be {done}")]
pub struct Unpublished {
    file: PathBuf,
    done: &'static str,
    source: io::Error,
}

impl CheckpointFile {
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self(file.into())
    }

    /// The note it holds; none if there is no file yet.
    pub fn read(&self) -> Result<Option<String>, Unpublished> {
        match fs::read_to_string(&self.0) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.fault("read", source)),
        }
    }

    /// Beside its place first, then renamed into it.
    pub fn write(&self, note: &str) -> Result<(), Unpublished> {
        let mut draft = self.0.as_os_str().to_owned();
        draft.push(".new");
        let written = fs::File::create(&draft).and_then(|mut file| {
            file.write_all(note.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&draft, &self.0)).map_err(|source| self.fault("written", source))
    }

    fn fault(&self, done: &'static str, source: io::Error) -> Unpublished {
        Unpublished { file: self.0.clone(), done, source }
    }
}
