//! Where policy text comes from: the files built into the binary, or a directory.

use std::{collections::BTreeMap, fs, io, path::Path};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// What no policy carries and why: read by people and tests, by no decision.
pub const ACCOUNTING: &str = "accounting/";

/// Relative path → text, of every file that has a part in decisions.
#[derive(Clone, Debug, Default)]
pub struct PolicyFiles(pub BTreeMap<String, String>);

impl PolicyFiles {
    /// The policies this binary was built with.
    pub fn shipped() -> Self {
        fn collect(dir: &Dir<'_>, into: &mut BTreeMap<String, String>) {
            for file in dir.files() {
                if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
                    into.insert(path.to_owned(), text.to_owned());
                }
            }
            dir.dirs().for_each(|inner| collect(inner, into));
        }
        let mut files = BTreeMap::new();
        collect(&SHIPPED, &mut files);
        Self(files).relevant()
    }

    /// The policies of a directory.
    pub fn read(root: &Path) -> io::Result<Self> {
        fn collect(root: &Path, dir: &Path, into: &mut BTreeMap<String, String>) -> io::Result<()> {
            for entry in fs::read_dir(dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    collect(root, &path, into)?;
                } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                    into.insert(name.replace('\\', "/"), fs::read_to_string(&path)?);
                }
            }
            Ok(())
        }
        let mut files = BTreeMap::new();
        collect(root, root, &mut files)?;
        Ok(Self(files).relevant())
    }

    fn relevant(mut self) -> Self {
        self.0.retain(|path, _| [".cedar", ".cedarschema", ".json"].iter().any(|ending| path.ends_with(ending)));
        self
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Files below a folder with this ending, by path.
    pub fn below<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter(move |(path, _)| path.starts_with(folder) && path.ends_with(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// `sha256:` and the hash over every path and text that has a part in decisions, each with its length before it.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, text) in self.0.iter().filter(|(path, _)| !path.starts_with(ACCOUNTING)) {
            for piece in [path, text] {
                hasher.update((piece.len() as u64).to_be_bytes());
                hasher.update(piece);
            }
        }
        format!("sha256:{}", hex::encode(hasher.finalize()))
    }
}
