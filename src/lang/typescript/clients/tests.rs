use super::*;
use crate::source::{Language, PathClass, SourceFile};
use oxc_allocator::Allocator;

/// The client of the last call in `text`.
fn client(text: &str) -> Option<Client> {
    let source = SourceFile::new("a.ts", Language::TypeScript, PathClass::Product, text.to_owned());
    let allocator = Allocator::default();
    let model = Model::parse(&allocator, &source).expect("parses");
    let call = *model.index.calls.last().expect("a call");
    let AstKind::CallExpression(expression) = model.kind(call) else { return None };
    let clients = Clients::new(&model);
    clients.of_path(&model.callee(expression), call).map(|(client, _)| client)
}

fn known(kind: Kind, nature: Nature) -> Option<Client> {
    Some(Client::new(kind, nature))
}

#[test]
fn imports_and_constants_are_followed() {
    assert_eq!(client("import axios from 'axios'; axios.get('/a');"), known(Kind::Axios, Nature::Parallel));
    assert_eq!(
        client("import axios from 'axios'; const api = axios.create({}); const b = api; b.get('/a');"),
        known(Kind::Axios, Nature::Parallel)
    );
    assert_eq!(
        client("import { Pool } from 'pg'; const pool = new Pool(); pool.query('');"),
        known(Kind::Pg, Nature::Parallel)
    );
    assert_eq!(
        client("import pg from 'pg'; const pool = new pg.Client(); pool.query('');"),
        known(Kind::Pg, Nature::Serial)
    );
    assert_eq!(client("fetch('/a')"), known(Kind::Fetch, Nature::Parallel));
    assert_eq!(client("const fetch = (a) => a; fetch('/a')"), None);
    assert_eq!(
        client(
            "import { PrismaClient } from '@prisma/client'; const g: any = globalThis; \
             export const db = g.db ?? new PrismaClient(); db.user.findMany()"
        ),
        known(Kind::Prisma, Nature::Parallel)
    );
}

#[test]
fn fields_are_followed() {
    let head = "import { Repository, QueryRunner } from 'typeorm'; import Redis from 'ioredis'; ";
    let of = |class: &str| client(&format!("{head}{class}"));
    assert_eq!(
        of("class A { constructor(private readonly users: Repository<U>) {} run() { return this.users.find(); } }"),
        known(Kind::TypeOrm, Nature::Parallel)
    );
    assert_eq!(
        of("class A { #redis = new Redis(); run() { return this.#redis.get('a'); } }"),
        known(Kind::Redis, Nature::Parallel)
    );
    assert_eq!(
        of("class A { runner?: QueryRunner; run() { return this.runner.query('a'); } }"),
        known(Kind::TypeOrm, Nature::Serial)
    );
    assert_eq!(
        of("class A { redis; constructor() { this.redis = new Redis(); } run() { this.redis.get('a'); } }"),
        known(Kind::Redis, Nature::Parallel)
    );
    assert_eq!(
        of(
            "class A { kept; constructor(r) { this.kept = new Redis(); this.kept = r; } run() { this.kept.get('a'); } }"
        ),
        None
    );
}

#[test]
fn transactions_are_serial_or_may_be() {
    let head = "import { PrismaClient, Prisma } from '@prisma/client'; ";
    let of = |code: &str| client(&format!("{head}{code}"));
    assert_eq!(
        of("function f(db: PrismaClient | Prisma.TransactionClient) { db.user.findMany(); }"),
        known(Kind::Prisma, Nature::Either)
    );
    assert_eq!(
        of("function f(db: Prisma.TransactionClient) { db.user.findMany(); }"),
        known(Kind::Prisma, Nature::Serial)
    );
    assert_eq!(
        client(
            "import { Pool } from 'pg'; const pool = new Pool(); async function f() { const c = await pool.connect(); c.query(''); }"
        ),
        known(Kind::Pg, Nature::Serial)
    );
}

#[test]
fn names_alone_say_so() {
    assert_eq!(
        client("import { prisma } from './db'; prisma.user.findMany();"),
        Some(Client::named(Kind::Prisma, Nature::Parallel))
    );
    assert_eq!(
        client("class A { run() { this.userRepository.find(); } }"),
        Some(Client::named(Kind::Repository, Nature::Parallel))
    );
    assert_eq!(client("function f(tx) { tx.user.findMany(); }"), None);
}
