use super::*;
use crate::facts::testing::facts;

const ROOT: &str = r#"
[workspace]
members = ["server", "db", "tool"]
[workspace.package]
rust-version = "1.75"
[workspace.dependencies]
tokio = { version = "1.36", features = ["rt-multi-thread"] }
reqwest = { version = "0.11", default-features = false }
acme-db = { path = "db" }
"#;
const SERVER: &str = r#"
[package]
name = "acme-server"
rust-version.workspace = true
[features]
default = ["tls"]
tls = ["reqwest/rustls-tls"]
[dependencies]
axum = "0.7"
tokio = { workspace = true, features = ["fs"] }
reqwest.workspace = true
acme-db.workspace = true
http1 = { package = "http", version = "0.2" }
[dev-dependencies]
wiremock = "0.6"
"#;
const LOCK: &str = r#"
version = 4
[[package]]
name = "acme-server"
version = "0.1.0"
dependencies = ["reqwest 0.11.27", "tokio"]
[[package]]
name = "tokio"
version = "1.40.1"
[[package]]
name = "reqwest"
version = "0.11.27"
[[package]]
name = "reqwest"
version = "0.12.9"
"#;

fn files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("Cargo.toml", ROOT),
        ("Cargo.lock", LOCK),
        ("server/Cargo.toml", SERVER),
        ("server/src/main.rs", ""),
        ("server/src/routes/mod.rs", ""),
        ("server/src/routes/users.rs", ""),
        ("server/src/state.rs", ""),
        ("db/Cargo.toml", "[package]\nname = \"acme-db\"\n"),
        ("db/src/lib.rs", ""),
        ("db/src/users.rs", ""),
        (
            "tool/Cargo.toml",
            "[package]\nname = \"tool\"\n[[bin]]\nname=\"t\"\npath=\"t.rs\"\n[dependencies]\nclap=\"4\"\n",
        ),
        ("tool/t.rs", ""),
    ]
}

#[test]
fn roles_come_from_programs_and_dependencies() {
    let facts = facts(&files());
    let role = |path: &str| facts.crates.info(path).map(|info| info.role);
    assert_eq!(role("server/src/routes/users.rs"), Some(Role::Service));
    assert_eq!(role("db/src/lib.rs"), Some(Role::Library));
    assert_eq!(role("tool/t.rs"), Some(Role::Cli));
    assert_eq!(role("build.rs"), None, "a workspace root without a package is no crate");
}

#[test]
fn a_private_library_that_a_service_needs_is_part_of_it() {
    let above = |library: &str, by: &str| {
        let program = "[package]\nname = \"shop\"\n[dependencies]\naxum = \"0.8\"\nlayers = { path = \"layers\" }\n";
        let layers = format!("[package]\nname = \"layers\"\n[{by}]\nclients = {{ path = \"../clients\" }}\n");
        let library = format!("[package]\nname = \"clients\"\n{library}");
        let files = [
            ("Cargo.toml", program),
            ("src/main.rs", ""),
            ("layers/Cargo.toml", &layers),
            ("clients/Cargo.toml", &library),
        ];
        let facts = facts(&files);
        let info = facts.crates.info("clients/src/lib.rs").expect("a crate");
        facts.crates.service_above(&info)
    };
    assert_eq!(above("", "dependencies").as_deref(), Some("shop"));
    assert_eq!(above("", "dev-dependencies"), None);
    assert_eq!(above("description = \"Clients\"\n", "dependencies"), None);
    assert_eq!(above("description = \"Clients\"\npublish = false\n", "dependencies").as_deref(), Some("shop"));
}

#[test]
fn workers_and_programs_with_a_database_are_services() {
    let role = |dependencies: &str| {
        let manifest = format!("[package]\nname = \"jobs\"\n[dependencies]\n{dependencies}");
        let facts = facts(&[("Cargo.toml", &manifest), ("src/main.rs", "")]);
        facts.crates.info("src/main.rs").map(|info| info.role)
    };
    assert_eq!(role("lambda_runtime = \"0.13\"\n"), Some(Role::Service));
    assert_eq!(role("clap = \"4\"\nrdkafka = \"0.36\"\n"), Some(Role::Service));
    assert_eq!(role("tokio = \"1\"\nsqlx = \"0.8\"\n"), Some(Role::Service));
    assert_eq!(role("tokio = \"1\"\nredis = \"0.27\"\n"), Some(Role::Service));
    assert_eq!(role("clap = \"4\"\ntokio = \"1\"\nsqlx = \"0.8\"\n"), Some(Role::Cli));
    assert_eq!(role("sqlx = \"0.8\"\n"), Some(Role::Library));
}

#[test]
fn what_a_program_is_filed_as_tells_tools() {
    let role = |filed: &str| {
        let manifest = format!("[package]\nname = \"trolley\"\n{filed}\n[dependencies]\naxum = \"0.8\"\n");
        let facts = facts(&[("Cargo.toml", &manifest), ("src/main.rs", "")]);
        facts.crates.info("src/main.rs").map(|info| info.role)
    };
    assert_eq!(role("categories = [\"command-line-utilities\", \"wasm\"]"), Some(Role::Cli));
    assert_eq!(role("categories = [\"development-tools::build-utils\"]"), Some(Role::Cli));
    assert_eq!(role("categories = [\"web-programming\"]"), Some(Role::Service));
    let both = "categories = [\"command-line-utilities\", \"web-programming::http-server\"]";
    assert_eq!(role(both), Some(Role::Service));
    let registry = "categories = [\"development-tools\"]\nkeywords = [\"cargo\", \"registry\"]";
    assert_eq!(role(registry), Some(Role::Service));
    let load = "categories = [\"command-line-utilities\", \"network-programming\", \"web-programming::http-client\"]";
    assert_eq!(role(load), Some(Role::Cli));
    let kept = "categories = [\"command-line-utilities\"]\nkeywords = [\"file-server\"]";
    assert_eq!(role(kept), Some(Role::Service));
}

#[test]
fn published_layers_over_a_server_are_libraries() {
    let manifest = "[package]\nname = \"axum-extra\"\ndescription = \"x\"\n[dependencies]\naxum = \"0.7\"\n";
    let facts = facts(&[("Cargo.toml", manifest), ("src/lib.rs", "")]);
    assert_eq!(facts.crates.info("src/lib.rs").map(|info| info.role), Some(Role::Library));
}

#[test]
fn workspaces_are_inherited() {
    let facts = facts(&files());
    let info = facts.crates.info("server/src/main.rs").unwrap();
    assert_eq!(info.rust_version, Version::parse("1.75"));
    assert!(!info.dependencies["reqwest"].default_features);
    assert!(!info.dependencies["wiremock"].normal);
    assert_eq!(info.dependencies["http1"].package, "http");
    assert_eq!(info.dependencies["acme_db"].folder.as_deref(), Some("db"));
    let feature = |package: &str, feature: &str| facts.crates.feature("server/src/main.rs", package, feature);
    assert_eq!(feature("tokio", "fs"), Some(true));
    assert_eq!(feature("tokio", "rt"), Some(true));
    assert_eq!(feature("tokio", "process"), Some(false));
    assert_eq!(feature("reqwest", "rustls-tls"), Some(true), "turned on by the crate's own default feature");
    assert_eq!(feature("reqwest", "blocking"), Some(false));
    assert_eq!(feature("axum", "ws"), None, "axum's defaults are not seen");
    assert_eq!(feature("sqlx", "postgres"), Some(false));
}

#[test]
fn versions_come_from_the_lock_else_from_the_requirement() {
    let facts = facts(&files());
    let version = |package: &str| {
        let installed = facts.dependency_version("server/src/main.rs", package)?;
        Some((installed.version.to_string(), installed.locked))
    };
    assert_eq!(version("tokio"), Some(("1.40.1".into(), true)));
    assert_eq!(version("reqwest"), Some(("0.11.27".into(), true)), "the crate's own entry says which of two");
    assert_eq!(version("axum"), Some(("0.7.0".into(), false)));
    assert_eq!(version("sqlx"), None);
}

#[test]
fn module_paths_lead_to_files() {
    let facts = facts(&files());
    let from = "server/src/routes/users.rs";
    let to = |from: &str, path: &str| facts.resolve(from, path);
    assert_eq!(to(from, "crate::state").as_deref(), Some("server/src/state.rs"));
    assert_eq!(to(from, "crate::state::AppState").as_deref(), Some("server/src/state.rs"));
    assert_eq!(to(from, "super").as_deref(), Some("server/src/routes/mod.rs"));
    assert_eq!(to(from, "super::super::state").as_deref(), Some("server/src/state.rs"));
    assert_eq!(to(from, "acme_db::users").as_deref(), Some("db/src/users.rs"));
    assert_eq!(to(from, "acme_db").as_deref(), Some("db/src/lib.rs"));
    assert_eq!(to("server/src/main.rs", "routes::users").as_deref(), Some(from));
    assert_eq!(to("server/src/main.rs", "self::routes").as_deref(), Some("server/src/routes/mod.rs"));
    assert_eq!(to(from, "tokio::fs"), None);
    assert_eq!(to("server/src/main.rs", "super::super::x"), None);
    assert_eq!(to("tool/t.rs", "acme_db::users"), None, "not a dependency of this crate");
}

#[test]
fn paths_out_of_the_root_are_not_read() {
    let manifest = "[package]\nname = \"a\"\nworkspace = \"../..\"\n[lib]\npath = \"../../x.rs\"\n[dependencies]\nb = { path = \"../../b\" }\n";
    let facts = facts(&[("Cargo.toml", manifest), ("src/lib.rs", "")]);
    assert_eq!(facts.resolve("src/lib.rs", "b::c"), None);
    assert!(facts.crates.info("src/lib.rs").is_some());
}
