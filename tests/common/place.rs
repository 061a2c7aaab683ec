//! The program, run in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A folder of files, and the program run in it.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        for (path, text) in files {
            place.put(path, text.as_bytes());
        }
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn put(&self, path: &str, bytes: &[u8]) {
        let full = self.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, bytes).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bizra-scan"));
        command.args(args).current_dir(self.path()).env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        Run::new(self.command(args).output().unwrap())
    }

    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let run = self.run(&[args, &["--format", "json"]].concat());
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {} {}", run.out, run.err))
    }

    /// The reasons of the report's skipped files, with their paths.
    pub fn skipped(&self, args: &[&str]) -> Vec<(String, String)> {
        let report = self.json(args);
        let skipped = report["completeness"]["skipped"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        skipped.iter().map(|skip| (text(&skip["path"]), text(&skip["reason"]))).collect()
    }
}

#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A failure of usage: the code, nothing on standard output, the words on
    /// standard error.
    pub fn fails_with(&self, words: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{}", self.err);
        // The words may be wrapped.
        let err = self.err.split_whitespace().filter(|word| !matches!(*word, "│" | "×")).collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(err.contains(word), "{word}: {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }

    pub fn passes(&self) {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}
