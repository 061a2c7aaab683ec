//! What a package or a crate is for, by what its manifest says: a service, a
//! tool, a library.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::crates::Dependency;
use super::packages::Package;

/// Tools for developers that load packages of others.
const TOOLS: &[&str] = &[
    "serverless",
    "webpack",
    "rollup",
    "vite",
    "esbuild",
    "@babel/core",
    "eslint",
    "gulp",
    "grunt",
    "hardhat",
    "gatsby",
    "@nx/devkit",
    "semantic-release",
];

/// Keywords by which such tools find what extends them.
const TOOL_KEYWORDS: &[&str] = &["netlify-plugin", "netlify-build-plugin", "vscode-extension", "eslintplugin"];

/// Frameworks of programs that run in front of one user.
const DESKTOP: &[&str] = &["electron", "@raycast/api", "obsidian"];

/// Libraries of tests: what needs one to run is for tests itself.
const TESTING: &[&str] = &["supertest", "cypress", "nock", "sinon", "@playwright/test"];

/// Names of servers and plugins that serve the developer who starts them.
const DEVELOPMENT: &[&str] = &[
    "dev-server",
    "devserver",
    "live-server",
    "livereload",
    "live-reload",
    "devtools",
    "vite-plugin",
    "rollup-plugin",
    "webpack-plugin",
    "esbuild-plugin",
    "babel-plugin",
    "eslint-plugin",
];

/// Frameworks that accept requests: a package that runs on one is a service.
const SERVER_PACKAGES: &[&str] = &[
    "express",
    "fastify",
    "koa",
    "@nestjs/core",
    "@hapi/hapi",
    "hono",
    "next",
    "@remix-run/node",
    "@remix-run/express",
    "@adonisjs/core",
    "@feathersjs/feathers",
    "restify",
    "polka",
    "apollo-server",
    "@apollo/server",
    "graphql-yoga",
    "@medusajs/framework",
    "moleculer",
    "nuxt",
    "@grpc/grpc-js",
];

/// What draws in a browser or a window; code of such a package may run there.
const INTERFACES: &[&str] = &[
    "react",
    "react-dom",
    "react-native",
    "vue",
    "svelte",
    "@angular/core",
    "solid-js",
    "preact",
    "next",
    "nuxt",
    "electron",
    "lit",
];

/// What else only programs with an interface need to run.
const OF_INTERFACES: &[&str] =
    &["react-redux", "@reduxjs/toolkit", "@tanstack/react-query", "@tanstack/vue-query", "pinia", "vuex", "swr"];

/// Crates that accept requests.
const SERVER_CRATES: &[&str] =
    &["axum", "actix-web", "tonic", "warp", "rocket", "poem", "salvo", "ntex", "tide", "loco-rs", "hyper"];

/// Crates of programs that work on what others send: functions of a cloud,
/// consumers of queues.
const WORKERS: &[&str] = &[
    "lambda_runtime",
    "lambda_http",
    "rdkafka",
    "lapin",
    "apalis",
    "fang",
    "faktory",
    "async-nats",
    "pulsar",
    "tokio-cron-scheduler",
    "aws-sdk-sqs",
    "teloxide",
    "serenity",
    "poise",
    "twilight-gateway",
];

/// Databases: a program with one that reads no command line is no tool.
const DATABASES: &[&str] = &[
    "sqlx",
    "sea-orm",
    "diesel-async",
    "tokio-postgres",
    "bb8-postgres",
    "deadpool-postgres",
    "mongodb",
    "scylla",
    "redis",
    "fred",
];

/// Crates that read command lines.
const COMMAND_LINES: &[&str] = &["clap", "structopt", "argh", "pico-args", "lexopt", "gumdrop", "bpaf"];

/// What a crate is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// A program that serves requests, or a private part of one.
    Service,
    /// A command-line program.
    Cli,
    /// Code for other crates.
    Library,
}

impl Package {
    /// The package that makes it a server, among its dependencies.
    pub fn server(&self) -> Option<&'static str> {
        // What others install does not bring what it is developed with.
        let runs = |server: &&str| self.private || !self.dev_only.contains(*server);
        SERVER_PACKAGES.iter().copied().find(|server| self.dependencies.contains_key(*server) && runs(server))
    }

    /// True where it installs a command and is no server of its own: what is
    /// started as one may bring a command for whoever keeps it.
    pub fn is_command(&self) -> bool {
        self.has_bin && !(self.has_start && self.server().is_some())
    }

    /// True where it depends on what draws in a browser or a window.
    pub fn draws(&self) -> bool {
        INTERFACES.iter().any(|name| self.dependencies.contains_key(*name))
    }

    /// True for a library that needs an interface to run, and no server: its
    /// code waits in front of one user.
    pub fn is_for_apps(&self) -> bool {
        // Servers render with these two as well.
        let draws = |name: &&str| !matches!(*name, "preact" | "lit");
        let needs = |name: &str| self.dependencies.contains_key(name) && !self.dev_only.contains(name);
        let interface = INTERFACES.iter().copied().filter(draws).chain(OF_INTERFACES.iter().copied()).any(needs);
        self.may_be_for_apps() && (interface || self.for_apps)
    }

    /// True for a library that names no server, no command and no Node to run on.
    pub fn may_be_for_apps(&self) -> bool {
        self.is_library() && self.server().is_none() && !self.has_bin && self.engines_node.is_none()
    }

    /// True for what runs at the edge of a network, on no Node: its requests are
    /// the platform's to bound.
    pub fn is_at_edge(&self) -> bool {
        const EDGE: &[&str] = &["wrangler", "@cloudflare/workers-types"];
        let serves = self.server().is_some_and(|server| server != "hono");
        !serves && EDGE.iter().any(|name| self.dependencies.contains_key(*name))
    }

    /// True for a library whose files may be named like those of a service, and
    /// of which nobody says how often they run. What runs on a framework for
    /// servers is one that is started, unless others import it.
    pub fn is_called_by_others(&self) -> bool {
        self.is_library() && (self.meant_for_others || self.server().is_none())
    }

    /// True for what a developer or one user starts and waits for: a command
    /// that is called a tool or asks who starts it, what a tool or an editor
    /// loads, a server for development, a desktop program, and what helps the
    /// tests of others.
    pub fn is_tool(&self) -> bool {
        /// Servers of an assistant, which one user's program starts and talks to
        /// over its standard input, unless they serve HTTP.
        const ASSISTANTS: &[&str] =
            &["@modelcontextprotocol/sdk", "@modelcontextprotocol/server", "fastmcp", "mcp-framework"];
        const ASKS: &[&str] = &["inquirer", "@inquirer/prompts", "prompts", "enquirer", "@clack/prompts"];
        let last = self.name.as_deref().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
        let words = |known: &[&str]| last.split(['-', '_']).any(|word| known.contains(&word));
        let needs = |names: &[&str]| {
            let runs = |name: &&&str| self.dependencies.contains_key(**name) && !self.dev_only.contains(**name);
            names.iter().any(|name| runs(&name))
        };
        let asks = needs(ASKS) && self.server().is_none();
        let assists = self.has_bin && needs(ASSISTANTS) && self.server().is_none();
        let named = words(&["test", "tests", "testing", "mock", "mocks", "e2e"]);
        let helps_tests = !self.private && named || self.is_library() && needs(TESTING);
        let is_command = self.has_bin && words(&["cli", "tool", "tools"]) || asks || assists;
        let for_development = DEVELOPMENT.iter().any(|name| last.contains(name)) || words(&["codegen", "scripts"]);
        self.is_loaded_by_tool() || self.is_desktop() || helps_tests || for_development || is_command
    }

    fn is_loaded_by_tool(&self) -> bool {
        let loads = |tool: &&str| self.peers.contains(*tool);
        let named = |keyword: &&str| self.keywords.iter().any(|own| own == keyword);
        self.is_plugin || TOOLS.iter().any(loads) || TOOL_KEYWORDS.iter().any(named)
    }

    fn is_desktop(&self) -> bool {
        // What others use may know such a framework and run without it.
        let runs_in = |name: &&str| match self.is_library() {
            true => self.peers.contains(*name),
            false => self.dependencies.contains_key(*name),
        };
        // What builds its pages is none that it serves with.
        let serves = self.server().is_some_and(|server| !self.dev_only.contains(server));
        !serves && DESKTOP.iter().any(runs_in)
    }

    /// True where it is published for others to use. `npm init` writes `main`
    /// for everyone, so that alone says so only of what nobody starts.
    pub fn is_library(&self) -> bool {
        !self.private && self.name.is_some() && (self.meant_for_others || !self.entries.is_empty() && !self.has_start)
    }
}

/// True for a program that its name, or what it says of itself to the
/// registry, calls a tool. A server for others may be filed as a command-line
/// program too, and then says what else it is.
pub(super) fn is_tool(name: &str, package: &Table, shared: Option<&Table>) -> bool {
    if ["-cli", "_cli"].iter().any(|end| name.ends_with(end)) || name.starts_with("cargo-") || name == "xtask" {
        return true;
    }
    let words = |key: &str| {
        let own = package.get(key);
        let inherits = own.and_then(|own| own.get("workspace")) == Some(&Value::Boolean(true));
        let list = if inherits { shared.and_then(|s| s.get("package")).and_then(|p| p.get(key)) } else { own };
        let list = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        list.map(str::to_lowercase).collect::<Vec<_>>()
    };
    let (categories, keywords) = (words("categories"), words("keywords"));
    const SERVING: &[&str] =
        &["server", "database", "proxy", "registry", "relay", "gateway", "daemon", "broker", "network-programming"];
    let asks = categories.iter().any(|category| category.ends_with("http-client"));
    let serves = |word: &String| SERVING.iter().any(|serving| word.contains(serving)) && !asks;
    let is_tool = |category: &String| {
        category == "command-line-utilities" || category.split("::").next() == Some("development-tools")
    };
    categories.iter().any(is_tool) && !categories.iter().chain(&keywords).any(serves)
}

/// The role of a crate that is no tool, and the dependency that decides it.
pub(super) fn of_crate(
    has_bin: bool,
    published: bool,
    dependencies: &BTreeMap<String, Dependency>,
) -> (Role, Option<String>) {
    let first_of = |names: &[&str]| {
        names.iter().find_map(|wanted| {
            let found = dependencies.values().find(|d| d.normal && d.package == *wanted)?;
            // hyper is a client as often as a server.
            let serves = *wanted != "hyper" || found.features.iter().any(|f| f == "server" || f == "full");
            serves.then(|| (*wanted).to_owned())
        })
    };
    if let Some(server) = first_of(SERVER_CRATES) {
        // What is published without a program is for others' services.
        let role = if has_bin || !published { Role::Service } else { Role::Library };
        return (role, Some(server));
    }
    if has_bin && let Some(worker) = first_of(WORKERS) {
        return (Role::Service, Some(worker));
    }
    match (first_of(COMMAND_LINES), first_of(DATABASES)) {
        (Some(by), _) if has_bin => (Role::Cli, Some(by)),
        (None, Some(by)) if has_bin && first_of(&["tokio"]).is_some() => (Role::Service, Some(by)),
        _ => (Role::Library, None),
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::testing::facts;

    #[test]
    fn libraries_of_apps_say_so() {
        let is_so = |manifest: &str| {
            let facts = facts(&[("package.json", manifest)]);
            facts.packages.nearest("a.ts").is_some_and(|package| package.is_for_apps())
        };
        for manifest in [
            r#"{"name":"api","main":"x.js","peerDependencies":{"react-redux":"*"}}"#,
            r#"{"name":"api","react-native":"src/x.js","main":"src/x.js"}"#,
        ] {
            assert!(is_so(manifest), "{manifest}");
        }
        for manifest in [
            r#"{"name":"api","main":"x.js","devDependencies":{"react":"*"}}"#,
            r#"{"name":"api","main":"x.js","dependencies":{"preact":"*"}}"#,
            r#"{"name":"api","main":"x.js","dependencies":{"react":"*","express":"4"}}"#,
            r#"{"name":"api","private":true,"dependencies":{"react":"*"}}"#,
        ] {
            assert!(!is_so(manifest), "{manifest}");
        }
    }

    #[test]
    fn what_one_user_starts_is_a_tool() {
        let is_tool = |manifest: &str| facts(&[("package.json", manifest)]).is_tool("a.ts");
        for tool in [
            r#"{"name":"@acme/dev-server","bin":"x.js"}"#,
            r#"{"name":"clear-cache","keywords":["Netlify-Plugin"]}"#,
            r#"{"name":"theme","engines":{"vscode":"^1.80.0"},"dependencies":{"express":"4"}}"#,
            r#"{"name":"load","bin":"x.js","oclif":{"commands":"lib/commands"},"dependencies":{"fastify":"4"}}"#,
            r#"{"name":"journeys","main":"x.js","dependencies":{"supertest":"7"},"devDependencies":{"express":"4"}}"#,
            r#"{"name":"login","main":"x.js","dependencies":{"inquirer":"9"},"devDependencies":{"express":"4"}}"#,
            r#"{"name":"vite-plugin-hashes"}"#,
            r#"{"name":"sign-in","peerDependencies":{"electron":">=30"}}"#,
            r#"{"name":"offline","peerDependencies":{"serverless":"4"}}"#,
            r#"{"name":"setup","bin":"x.js","dependencies":{"inquirer":"9"}}"#,
        ] {
            assert!(is_tool(tool), "{tool}");
        }
        for other in [
            r#"{"name":"api","dependencies":{"electron":"30","express":"4"}}"#,
            r#"{"name":"server","bin":"x.js","keywords":["cli"]}"#,
            r#"{"name":"chain","exports":"./x.js","devDependencies":{"@raycast/api":"1"}}"#,
            r#"{"name":"cli-table"}"#,
        ] {
            assert!(!is_tool(other), "{other}");
        }
    }
}
