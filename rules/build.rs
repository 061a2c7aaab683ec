//! Embeds `rules/<category>/<id>.toml`: adding a rule needs no registry to edit.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rules");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut files = Vec::new();
    for category in fs::read_dir(Path::new(&root).join("rules"))? {
        let category = category?.path();
        if !category.is_dir() {
            continue;
        }
        for file in fs::read_dir(&category)? {
            let file = file?.path();
            if file.extension().is_some_and(|e| e == "toml") {
                files.push(file);
            }
        }
    }
    files.sort();
    let mut code = String::from(
        "/// Name below `rules/` and text of every built-in rule, sorted.\npub const BUILTIN: &[(&str, &str)] = &[\n",
    );
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(Path::new(&root).join("rules")).map_err(io::Error::other)?;
        let name = name.to_string_lossy().replace('\\', "/");
        code.push_str(&format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()));
    }
    code.push_str("];\n");
    fs::write(Path::new(&out).join("builtin_rules.rs"), code)
}
