//! Clients that only names tell.

use oxc_ast::AstKind;
use oxc_syntax::symbol::SymbolId;

use super::{Client, Kind, Nature, PRISMA_READS, PRISMA_ROW_WRITES, REDIS_READS};
use crate::lang::typescript::path::{Binding, Path, Root};
use crate::lang::typescript::{Model, names};

/// What a path's names alone suggest.
pub fn by_name(model: &Model<'_>, path: &Path<'_, '_>) -> Option<(Client, usize)> {
    let root = match path.root {
        Root::Symbol(_, name) | Root::Global(name) => Some(name),
        _ => None,
    };
    let offset = usize::from(root.is_some());
    let segments: Vec<&str> = root.into_iter().chain(path.members.iter().copied()).collect();
    let (leaf, receivers) = segments.split_last()?;
    // `x.model.findMany` on something that is called Prisma or a database.
    if *leaf == "selectFrom" && receivers.len() == 1 {
        let carrier = names::is_carrier(receivers[0]);
        let nature = if carrier { Nature::Serial } else { Nature::Parallel };
        return Some((Client::named(Kind::Kysely, nature), receivers.len().checked_sub(offset)?));
    }
    if let [.., holder, _model] = receivers
        && (PRISMA_READS.contains(leaf) || PRISMA_ROW_WRITES.contains(leaf))
    {
        let words = names::words(holder);
        let of_prisma = words.iter().any(|word| word == "prisma");
        // A transaction runs its statements in turn.
        if *holder == "tx" && PRISMA_ROW_WRITES.contains(leaf) {
            let used = (receivers.len() - 1).checked_sub(offset)?;
            return Some((Client::named(Kind::Prisma, Nature::Serial), used));
        }
        let of_database = words.last().is_some_and(|word| matches!(word.as_str(), "db" | "replica" | "database"));
        if (of_prisma || of_database) && !names::is_carrier(holder) {
            let used = (receivers.len() - 1).checked_sub(offset)?;
            // What a callback is handed may be a transaction's own client.
            let handed =
                receivers.len() == 2 && matches!(path.root, Root::Symbol(symbol, _) if is_of_callback(model, symbol));
            let nature = if handed { Nature::Either } else { Nature::Parallel };
            return Some((Client::named(Kind::Prisma, nature), used));
        }
    }
    let receiver = receivers.last()?;
    // `context.loaders.user.load(id)`, `this.userLoader.load(id)`.
    let loads = |name: &&str| names::pieces(name).last().is_some_and(|w| matches!(w, "loader" | "loaders" | "Loader"));
    if *leaf == "load" && receivers.iter().rev().take(2).any(loads) {
        return Some((Client::named(Kind::Loader, Nature::Parallel), receivers.len().checked_sub(offset)?));
    }
    let last = names::pieces(receiver).last().unwrap_or("");
    let named = |list: &[&str]| list.iter().any(|name| name.eq_ignore_ascii_case(last));
    let used = receivers.len().checked_sub(offset)?;
    if named(&["repository", "repo"]) {
        return Some((Client::named(Kind::Repository, Nature::Parallel), used));
    }
    if named(&["redis", "ioredis"]) && REDIS_READS.iter().any(|command| command.eq_ignore_ascii_case(leaf)) {
        return Some((Client::named(Kind::Redis, Nature::Parallel), used));
    }
    if named(&["axios", "http", "client", "api"])
        && matches!(*leaf, "get" | "post" | "head" | "put" | "patch" | "delete")
    {
        return Some((Client::named(Kind::HttpByName, Nature::Parallel), used));
    }
    // `User.findByPk` on something imported and capitalised.
    let is_class = receiver.chars().next().is_some_and(char::is_uppercase);
    const STATICS: &[&str] = &["findByPk", "findAndCountAll", "findById", "countDocuments", "findAll"];
    const OF_MODELS: &[&str] = &["find", "findOne", "exists", "distinct", "aggregate", "count"];
    if is_class && receivers.len() == 1 && (STATICS.contains(leaf) || OF_MODELS.contains(leaf)) {
        let Root::Symbol(symbol, _) = path.root else { return None };
        let Binding::Import(imported) = model.binding(symbol) else { return None };
        // `find` is a method of many things; a model, or its file, is called so.
        const OF_FILES: &[&str] =
            &["model", "models", "schema", "schemas", "entity", "entities", "mongo", "mongoose", "mongodb"];
        let of_models = last == "Model" || names::pieces(imported.module).any(|word| OF_FILES.contains(&word));
        if of_models || STATICS.contains(leaf) {
            return Some((Client::named(Kind::Model, Nature::Parallel), 0));
        }
    }
    None
}

/// True for a parameter of a function that is handed to a call as it is written.
fn is_of_callback(model: &Model<'_>, symbol: SymbolId) -> bool {
    let function = model.function_of_parameter(symbol);
    function.is_some_and(|function| matches!(model.nodes().parent_kind(function), AstKind::CallExpression(_)))
}
