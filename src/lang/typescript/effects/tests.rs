use super::*;
use crate::source::{Language, PathClass, SourceFile};
use oxc_allocator::Allocator;

/// The effect of the last call in `text`, in source order of their starts.
fn effect(text: &str) -> CallEffect {
    let source = SourceFile::new("a.ts", Language::TypeScript, PathClass::Product, text.to_owned());
    let allocator = Allocator::default();
    let model = Model::parse(&allocator, &source).expect("parses");
    let awaited = *model.index.awaits.last().expect("an await");
    let AstKind::AwaitExpression(awaited) = model.kind(awaited) else { panic!("an await") };
    let Expression::CallExpression(call) = bare(&awaited.argument) else { panic!("a call") };
    call_effect(&model, call)
}

fn of(head: &str, expression: &str) -> (Effect, Io) {
    let found = effect(&format!("{head}; async function run() {{ await {expression}; }}"));
    (found.effect, found.io)
}

#[test]
fn http_calls_read_by_method() {
    let axios = "import axios from 'axios'; const api = axios.create()";
    assert_eq!(of(axios, "api.get('/a')"), (Effect::Read, Io::Http));
    assert_eq!(of(axios, "api.get<User>('/a').then((r) => r.data)"), (Effect::Read, Io::Http));
    assert_eq!(of(axios, "api.post('/a', {})"), (Effect::Write, Io::Http));
    assert_eq!(of(axios, "api.post('/rpc', { method: 'eth_getBalance', params: [] })"), (Effect::Read, Io::Http));
    assert_eq!(of(axios, "api.post('/rpc', { method: 'eth_sendTransaction' })"), (Effect::Write, Io::Http));
    assert_eq!(of(axios, "axios({ url: '/a', method: 'get' })"), (Effect::Read, Io::Http));
    assert_eq!(of("", "fetch('/a')"), (Effect::Read, Io::Http));
    assert_eq!(of("", "fetch('/a', { method: 'DELETE' })"), (Effect::Write, Io::Http));
    assert_eq!(of("", "fetch('/a', options)").0, Effect::Unknown);
    assert_eq!(
        of("", "fetch('/a', { method: 'POST', body: JSON.stringify({ method: 'eth_call' }) })"),
        (Effect::Read, Io::Http)
    );
    assert_eq!(of("import got from 'got'", "got('https://a').json()"), (Effect::Read, Io::Http));
}

#[test]
fn database_calls_read_by_their_own_words() {
    let prisma = "import { PrismaClient } from '@prisma/client'; const db = new PrismaClient()";
    assert_eq!(of(prisma, "db.user.findMany({ where: {} })"), (Effect::Read, Io::Database));
    assert_eq!(of(prisma, "db.user.upsert({})"), (Effect::Write, Io::Database));
    let pool = "import { Pool } from 'pg'; const pool = new Pool()";
    assert_eq!(of(pool, "pool.query('SELECT 1')"), (Effect::Read, Io::Database));
    assert_eq!(of(pool, "pool.query(`SELECT * FROM a WHERE id = ${1} FOR UPDATE`)"), (Effect::Write, Io::Database));
    assert_eq!(of(pool, "pool.query(sql)").0, Effect::Unknown);
    let typeorm = "import { DataSource } from 'typeorm'; const source = new DataSource({})";
    assert_eq!(of(typeorm, "source.getRepository(User).findOneBy({ id: 1 })"), (Effect::Read, Io::Database));
    assert_eq!(
        of(typeorm, "source.getRepository(User).createQueryBuilder('u').where('a').getMany()"),
        (Effect::Read, Io::Database)
    );
    assert_eq!(of(typeorm, "source.createQueryBuilder().update(User).set({}).execute()").0, Effect::Write);
    let knex = "import knex from 'knex'; const db = knex({})";
    assert_eq!(of(knex, "db('users').where({ id: 1 }).first()"), (Effect::Read, Io::Database));
    assert_eq!(of(knex, "db('users').where({ id: 1 }).update({})"), (Effect::Write, Io::Database));
    let mongo = "import { MongoClient } from 'mongodb'; const client = new MongoClient('')";
    assert_eq!(of(mongo, "client.db('a').collection('b').find({}).toArray()"), (Effect::Read, Io::Database));
    assert_eq!(of(mongo, "client.db('a').collection('b').findOneAndUpdate({}, {})").0, Effect::Write);
    let aws = "import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3'; const s3 = new S3Client({})";
    assert_eq!(of(aws, "s3.send(new GetObjectCommand({}))"), (Effect::Read, Io::Http));
    assert_eq!(of(aws, "s3.send(new PutObjectCommand({}))"), (Effect::Write, Io::Http));
}

#[test]
fn local_functions_are_summarised() {
    let head = "import { PrismaClient } from '@prisma/client'; const db = new PrismaClient(); let hits = 0;
        async function load(id: number) { const found = await db.user.findMany({ where: { id } }); return found.map((f) => f.id); }
        async function save(id: number) { await db.user.update({}); }
        async function counted() { hits += 1; return db.user.count(); }
        const both = async () => { const a = await load(1); return a; };
        async function outer() { return both(); }
        async function loop(n: number): Promise<number> { return n ? loop(n - 1) : db.user.count(); }";
    assert_eq!(of(head, "load(1)"), (Effect::Read, Io::Database));
    assert_eq!(of(head, "save(1)"), (Effect::Write, Io::Database));
    assert_eq!(of(head, "counted()"), (Effect::Write, Io::Database));
    assert_eq!(of(head, "outer()"), (Effect::Read, Io::Database));
    assert_eq!(of(head, "loop(3)"), (Effect::Read, Io::Database));
}

#[test]
fn methods_of_the_class_are_summarised() {
    let found = effect(
        "import axios from 'axios'; class A { api = axios.create();
           private async one(id: string) { return this.api.get(`/a/${id}`); }
           private memo: any; private async two() { this.memo ??= await this.api.get('/b'); return this.memo; }
           async run() { await this.one('a'); } }",
    );
    assert_eq!((found.effect, found.io, found.promises), (Effect::Read, Io::Http, true));
    let found = effect(
        "class A { private memo: any; private async two() { this.memo ??= await fetch('/b'); return this.memo; }
           async run() { await this.two(); } }",
    );
    assert_eq!(found.effect, Effect::Write);
}

#[test]
fn imported_and_named_calls_stay_open() {
    let found = effect("import { loadUser } from './users'; async function run() { await loadUser(1); }");
    assert_eq!(found.effect, Effect::Read);
    assert!(matches!(found.by, By::Imported(name) if name.module == "./users" && name.name == "loadUser"));
    assert_eq!(of("", "service.saveUser(1)"), (Effect::Write, Io::None));
    assert_eq!(of("", "service.getSession(1)").0, Effect::Unknown);
    assert!(effect("async function run(tx) { await users.find(1, tx); }").carries_transaction);
    assert!(effect("async function run(tx) { await users.find({ id: 1, transaction: tx }); }").carries_transaction);
}
