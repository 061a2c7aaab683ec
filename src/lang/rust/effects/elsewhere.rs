//! Functions and values of other files, as references for the join.

use super::database::is_shouted;
use super::{Operation, Resource};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Function, Kind, NodeId};
use crate::lang::rust::path::{is_foreign, reference};
use crate::lang::rust::values::Local;
use crate::lang::typescript::names;
use crate::observe::{Effect, Io, NameRef};

impl Model<'_> {
    /// The method of this file that a call on `receiver` calls, by the written
    /// type of the receiver.
    pub(super) fn method_on(&self, receiver: NodeId, name: &str) -> Option<&Function> {
        if let Kind::Path(path) = self.tree.kind(receiver)
            && path.len() == 1
            && path[0] == "self"
        {
            return self.method(self.function_of(receiver)?.owner?, name);
        }
        let named = |function: &&Function| function.name == name && function.owner.is_some() && function.body.is_some();
        // Types are looked up only where a method of that name is there.
        self.tree.functions.iter().find(named)?;
        let path = self.type_path(receiver)?;
        let [module, leaf] = path.as_slice() else { return None };
        if module != "self" {
            return None;
        }
        let of_type = |function: &&Function| self.owner_name(function).is_some_and(|owner| owner == leaf);
        self.tree.functions.iter().filter(named).find(of_type)
    }

    /// A method of another file's type, by the written type of its receiver.
    pub(super) fn method_elsewhere(&self, receiver: NodeId, name: &str, args: &[NodeId]) -> Option<Operation> {
        let mut elsewhere = self.value_elsewhere(receiver)?;
        elsewhere.members.push(name.to_owned());
        self.elsewhere(elsewhere, name, args)
    }

    /// A function of another file that a path names.
    pub(super) fn imported_function(&self, value: NodeId) -> Option<Operation> {
        let path = self.callee(value)?;
        let elsewhere = reference(&path)?;
        let Kind::Call { args, .. } = self.tree.kind(value) else { return None };
        self.elsewhere(elsewhere, path.last()?, args)
    }

    fn elsewhere(&self, elsewhere: NameRef, name: &str, args: &[NodeId]) -> Option<Operation> {
        if args.iter().any(|&argument| self.lends_mutably(argument)) {
            return None;
        }
        let effect = match names::effect_of_asked(name) {
            Effect::Write => Effect::Write,
            _ => Effect::Read,
        };
        let resource = self.handed(args).unwrap_or(Resource::Callee);
        Some(Operation { elsewhere: Some(elsewhere), ..Operation::new(Io::Database, effect, resource) })
    }

    /// A `static` of another file: `OUTBOUND`.
    pub(super) fn static_elsewhere(&self, expression: NodeId) -> Option<NameRef> {
        let Kind::Path(path) = self.tree.kind(expression) else { return None };
        if !path.last().is_some_and(|name| is_shouted(name)) {
            return None;
        }
        let path = self.resolve(expression, path)?;
        let (leaf, module) = path.split_last()?;
        let first = module.first()?;
        let own = first != "self" && !is_foreign(first);
        own.then(|| NameRef { module: module.join("::"), name: leaf.clone(), members: Vec::new() })
    }

    /// What an expression is in terms of a written type of another file and
    /// the fields that are read from it: `state.users` of
    /// `State(state): State<AppState>` is the field `users` of `AppState`.
    pub fn value_elsewhere(&self, expression: NodeId) -> Option<NameRef> {
        /// Longer chains of fields and locals are not followed; the bound also
        /// ends a cycle.
        const STEPS: usize = 24;
        let mut fields = Vec::new();
        let mut at = expression;
        for _ in 0..STEPS {
            if let Some(typed) = self.type_of(at) {
                let typed = self.peel(typed);
                let path = self.resolve(typed.at, &typed.ty.path)?;
                let (leaf, module) = path.split_last()?;
                let first = module.first()?;
                if is_foreign(first) || !leaf.starts_with(|c: char| c.is_ascii_uppercase()) {
                    return None;
                }
                fields.reverse();
                return Some(NameRef { module: module.join("::"), name: leaf.clone(), members: fields });
            }
            at = match self.tree.kind(at) {
                Kind::Field { base, name } => {
                    fields.push(name.clone());
                    *base
                }
                Kind::Method { receiver, name, args, .. }
                    if args.is_empty()
                        && matches!(name.as_str(), "clone" | "as_ref" | "get_ref" | "inner" | "deref") =>
                {
                    *receiver
                }
                // `state.catalog.repo().page(…)`: what a method gives.
                Kind::Method { receiver, name, args, .. } if args.is_empty() && !self.is_awaited(at) => {
                    fields.push(format!("{name}()"));
                    *receiver
                }
                Kind::Path(path) if path.len() == 1 => match self.local(at, &path[0]) {
                    Some(Local::Let(found)) => match self.tree.kind(found) {
                        Kind::Let { pattern, init: Some(init), .. } if pattern.name().is_some() => *init,
                        _ => return None,
                    },
                    _ => return None,
                },
                Kind::Reference { value, .. } | Kind::Unary(value) | Kind::Try(value) => *value,
                _ => return None,
            };
        }
        None
    }
}
