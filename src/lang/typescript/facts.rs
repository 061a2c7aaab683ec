//! What a file as a whole shows: which libraries it uses, whether it is
//! browser code, a test or a command-line program.

use std::collections::BTreeSet;

use oxc_ast::ast::{Program, Statement};
use oxc_semantic::Scoping;
use oxc_syntax::symbol::SymbolId;
use rustc_hash::FxHashMap;

use super::names::words;
use super::path::{Imported, strip_node};
use crate::source::{Language, SourceFile};

/// What the file as a whole shows.
#[derive(Clone, Debug, Default)]
pub struct FileFacts {
    /// Modules that the file imports from, `node:` left out.
    modules: BTreeSet<String>,
    browser: bool,
    node: bool,
    test: bool,
    cli: bool,
    server_actions: bool,
    client: bool,
    events: bool,
    queues: bool,
    service: Option<String>,
}

/// Packages of queues whose workers are handed a `Job`, or a function by name.
const QUEUES: &[&str] = &["bullmq", "bull", "pg-boss", "@nestjs/bullmq", "@nestjs/bull", "agenda"];

/// Folders of functions that an event bus calls.
const EVENT_FOLDERS: &[&str] = &["subscribers", "listeners", "event-handlers", "eventHandlers"];

/// Ends of the names of such files, before their extension.
const EVENT_ENDS: &[&str] = &[".subscriber", ".subscribers", ".listener", ".listeners"];

/// Libraries of user interfaces: a file that imports one runs in a browser
/// unless a function in it is shown to be a request handler.
const UI_LIBRARIES: &[&str] = &[
    "react",
    "react-dom",
    "react-native",
    "preact",
    "preact/hooks",
    "vue",
    "svelte",
    "svelte/store",
    "solid-js",
    "@angular/core",
    "@tanstack/react-query",
    "react-router-dom",
    "@remix-run/react",
    "react-hook-form",
    "next/navigation",
    "next/router",
    "next/link",
    "@theia/core/shared/react",
];

/// Libraries that only tests import.
const TEST_LIBRARIES: &[&str] = &[
    "vitest",
    "@jest/globals",
    "mocha",
    "chai",
    "ava",
    "@playwright/test",
    "supertest",
    "test",
    "tap",
    "sinon",
    "@nestjs/testing",
    "@testing-library/react",
    "medusa-test-utils",
    "@medusajs/test-utils",
    "cypress",
];

/// Libraries that only command-line programs import.
const CLI_LIBRARIES: &[&str] = &[
    "commander",
    "yargs",
    "yargs/yargs",
    "@oclif/core",
    "cac",
    "clipanion",
    "citty",
    "@clack/prompts",
    "inquirer",
    "@inquirer/prompts",
    "prompts",
    "ora",
    "meow",
    "arg",
    "minimist",
    "nest-commander",
    "enquirer",
    "vorpal",
    "listr2",
    "listr",
];

/// Folders whose code runs in a browser or an editor's window.
const BROWSER_FOLDERS: &[&str] =
    &["browser", "electron-browser", "electron-sandbox", "browser-only", "webview", "webviews"];

/// Folders whose code does so unless it imports what only servers have.
const PAGE_FOLDERS: &[&str] = &["frontend", "components", "hooks", "public", "admin-ui", "dashboard", "views"];

/// Modules that only run on a server.
const SERVER_MODULES: &[&str] = &[
    "fs",
    "fs/promises",
    "http",
    "https",
    "http2",
    "net",
    "tls",
    "os",
    "dns",
    "zlib",
    "cluster",
    "child_process",
    "worker_threads",
    "async_hooks",
    "express",
    "fastify",
    "koa",
    "@nestjs/common",
    "@nestjs/axios",
    "@nestjs/config",
    "pg",
    "mysql2",
    "mysql2/promise",
    "mongodb",
    "mongoose",
    "typeorm",
    "sequelize",
    "knex",
    "@prisma/client",
    "ioredis",
    "redis",
    "bullmq",
    "bull",
    "amqplib",
    "kafkajs",
    "dotenv",
    "jsonwebtoken",
    "node-fetch",
    "undici",
    "got",
    "@remix-run/node",
    "@remix-run/server-runtime",
    "next/server",
    "next/headers",
    "server-only",
];

/// Modules that servers import, and that bundlers have their own for.
const BUNDLED_MODULES: &[&str] = &["crypto", "form-data", "pino", "winston"];

/// Globals that only browsers have.
const BROWSER_GLOBALS: &[&str] = &["window", "document", "localStorage", "sessionStorage"];

/// Words of a class's or file's name that suggest a request path
/// (`contracts`: service, controller, resolver, gateway, repository, middleware).
const SERVICE_WORDS: &[&str] = &["service", "controller", "resolver", "gateway", "repository", "middleware"];

impl FileFacts {
    /// Reads them off a parsed file.
    pub fn of(
        source: &SourceFile,
        program: &Program<'_>,
        scoping: &Scoping,
        imports: &FxHashMap<SymbolId, Imported<'_>>,
    ) -> Self {
        let modules: BTreeSet<String> =
            imports.values().map(|imported| strip_node(imported.module).to_owned()).collect();
        let imports_one = |list: &[&str]| list.iter().any(|module| modules.contains(*module));
        let directive = |text: &str| program.directives.iter().any(|d| d.directive.as_str() == text);
        let (folders, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let in_folder = |list: &[&str]| folders.split('/').any(|folder| list.contains(&folder));
        let globals = scoping.root_unresolved_references();
        let unresolved = |name: &str| globals.keys().any(|key| key.as_str() == name);
        let markup = matches!(source.language, Language::Tsx) || source.path.ends_with(".jsx");
        // What Next renders on the server, unless it says otherwise.
        let rendered = folders.split('/').any(|folder| folder == "app")
            && matches!(name.split('.').next(), Some("page" | "layout" | "template" | "default" | "not-found"))
            && modules.iter().all(|module| !module.starts_with("@remix-run") && !module.starts_with("react-router"));
        let server_actions = directive("use server");
        let server_only = program.body.iter().any(|statement| match statement {
            Statement::ImportDeclaration(import) => import.source.value == "server-only",
            _ => false,
        });
        let browser = directive("use client")
            || !server_actions
                && !server_only
                && (!rendered && (draws(imports) || markup)
                    || in_folder(BROWSER_FOLDERS)
                    || in_folder(PAGE_FOLDERS) && !is_of_server(scoping, imports)
                    || BROWSER_GLOBALS.iter().any(|global| unresolved(global)));
        let test = imports_one(TEST_LIBRARIES) || unresolved("describe") && unresolved("it");
        let cli_folder = |folder: &str| {
            matches!(folder, "cli" | "bin" | "cmd" | "subcommands")
                || folder.starts_with("cli-")
                || folder.ends_with("-cli")
        };
        let cli = program.hashbang.is_some()
            || imports_one(CLI_LIBRARIES)
            || folders.split('/').any(cli_folder)
            || matches!(name.split('.').next(), Some("cli"));
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let node = imports.values().any(|imported| imported.module.starts_with("node:"));
        Self {
            browser,
            node,
            test,
            cli,
            server_actions,
            client: directive("use client"),
            events: in_folder(EVENT_FOLDERS) || EVENT_ENDS.iter().any(|end| stem.ends_with(end)),
            queues: imports_one(QUEUES),
            service: names_service(stem).then(|| name.to_owned()),
            modules,
        }
    }

    /// True where the file imports from `module` (`node:` left out).
    pub fn imports(&self, module: &str) -> bool {
        self.modules.contains(module)
    }

    /// True where the file imports from a module that `wanted` accepts.
    pub fn imports_any(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.modules.iter().any(|module| wanted(module))
    }

    /// True where the file's code runs in a browser or a window, as far as
    /// nothing in it is shown to be a request handler.
    pub fn is_browser(&self) -> bool {
        self.browser
    }

    /// True where a module is imported as one of Node's own (`node:events`).
    pub fn imports_node(&self) -> bool {
        self.node
    }

    /// True where the file imports what servers do.
    pub fn imports_of_servers(&self) -> bool {
        self.imports_any(|module| SERVER_MODULES.contains(&module) || BUNDLED_MODULES.contains(&module))
    }

    /// True where the file imports a test library.
    pub fn is_test(&self) -> bool {
        self.test
    }

    /// True where the file belongs to a command-line program.
    pub fn is_cli(&self) -> bool {
        self.cli
    }

    /// True where the file begins with `"use client"`.
    pub fn is_client(&self) -> bool {
        self.client
    }

    /// True where the file begins with `"use server"`: its exports are called
    /// by requests.
    pub fn has_server_actions(&self) -> bool {
        self.server_actions
    }

    /// True where an event bus calls the file's functions.
    pub fn is_of_events(&self) -> bool {
        self.events
    }

    /// True where the file imports a queue.
    pub fn imports_queue(&self) -> bool {
        self.queues
    }

    /// The file's name, where it suggests a request path.
    pub fn service_file(&self) -> Option<&str> {
        self.service.as_deref()
    }
}

/// True where a value is imported that only servers have: a type alone runs
/// nowhere.
fn is_of_server(scoping: &Scoping, imports: &FxHashMap<SymbolId, Imported<'_>>) -> bool {
    imports.iter().any(|(&symbol, imported)| {
        SERVER_MODULES.contains(&strip_node(imported.module)) && !scoping.symbol_flags(symbol).is_type_import()
    })
}

/// True where something is imported that only user interfaces need.
fn draws(imports: &FxHashMap<SymbolId, Imported<'_>>) -> bool {
    /// What servers throw to answer with another page.
    const ANSWERS: &[&str] =
        &["redirect", "permanentRedirect", "notFound", "RedirectType", "forbidden", "unauthorized", "unstable_rethrow"];
    // What servers remember for the time of one request.
    const REMEMBERS: &[&str] = &["cache", "cacheSignal"];
    imports.values().any(|imported| {
        UI_LIBRARIES.contains(&imported.module)
            && !(imported.module == "next/navigation" && ANSWERS.contains(&imported.name))
            && !(imported.module == "react" && REMEMBERS.contains(&imported.name))
    })
}

/// True where a class's or file's name suggests a request path. A service that
/// sends mail or works through jobs does so behind one.
pub fn names_service(name: &str) -> bool {
    const BEHIND: &[&str] = &[
        "worker",
        "workers",
        "job",
        "jobs",
        "cron",
        "scheduler",
        "processor",
        "consumer",
        "subscriber",
        "listener",
        "mail",
        "mailer",
        "email",
        "emails",
        "migration",
        "seeder",
    ];
    const IN_FRONT: &[&str] = &["controller", "resolver", "middleware"];
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let lower = name.to_ascii_lowercase();
    let sends = || ["sendgrid", "mailgun", "smtp"].iter().any(|mailer| lower.contains(mailer));
    has(SERVICE_WORDS) && (has(IN_FRONT) || !has(BEHIND) && !sends())
}
