//! What a call does: by its receiver where that is a known client, by the body
//! where the function is in this file, by its name otherwise, and as an open
//! reference where another file defines it.

pub mod client;
pub mod encoders;
mod function;
mod given;
mod handed;
mod memo;
mod pure;
mod raw;
mod shape;
mod sql;
pub mod timers;
mod wrapped;
use std::cell::RefCell;
use std::rc::Rc;

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, CallExpression, ClassElement, Expression, ObjectPropertyKind, Statement};
use oxc_syntax::node::NodeId;
use rustc_hash::FxHashMap;

use super::clients::{Client, Clients, Kind, Nature};
use super::names;
use super::path::{Binding, Path, Root, argument, is_project_module};
use super::values::key_name;
use super::{Model, bare};
use crate::observe::{Effect, Io, NameRef, Question};

pub use self::function::Summary;
pub use self::given::{GIVEN, SUPER, named_given};
pub use self::pure::{is_fresh, touches_nothing};

/// Links that read the answer of the call before them.
const READS_BODY: &[&str] = &["json", "text", "arrayBuffer", "blob", "buffer", "bytes"];

/// What says what a call does.
#[derive(Clone, PartialEq, Debug)]
pub enum By {
    /// The receiver is this client.
    Client(Client),
    /// The function is in this file.
    Function(NodeId),
    /// Another file defines the function; the effect is what its name suggests.
    Imported(NameRef),
    /// Another file's class defines the method, by the written type of its
    /// receiver; the effect is what its name suggests.
    Typed(NameRef),
    /// Only the name.
    Name,
}

/// What a call does.
#[derive(Clone, PartialEq, Debug)]
pub struct CallEffect {
    /// Its effect.
    pub effect: Effect,
    /// What it waits for, as far as this file shows it.
    pub io: Io,
    /// What says so.
    pub by: By,
    /// Runs on one connection or in a transaction, or may.
    pub nature: Nature,
    /// An argument is called like a transaction or session.
    pub carries_transaction: bool,
    /// Gives a promise whatever happens: cannot throw before it.
    pub promises: bool,
    /// The effect rests on a name somewhere: of the receiver, of the callee,
    /// or of a function that the local function calls. What another file can
    /// answer for is among [`Effects::open_questions`] instead.
    pub by_name: bool,
    /// A function of this file whose calls of others say whether it reads, or
    /// what it waits for.
    pub left_open: bool,
}

/// A call with what it is chained to: `a.b(x).c(y)`.
pub struct Chain<'a> {
    /// The innermost callee.
    pub base: Path<'a, 'a>,
    /// The calls, innermost first.
    pub calls: Vec<&'a CallExpression<'a>>,
    /// Members and methods after the innermost callee, in order.
    pub links: Vec<&'a str>,
}

/// The effects of one file's calls and functions, computed once each.
pub struct Effects<'m, 'a> {
    /// The file.
    pub model: &'m Model<'a>,
    /// Its clients.
    pub clients: Clients<'m, 'a>,
    summaries: RefCell<FxHashMap<NodeId, Option<Rc<Summary>>>>,
}

impl<'m, 'a> Effects<'m, 'a> {
    /// The effects of a file.
    pub fn new(model: &'m Model<'a>) -> Self {
        Self { model, clients: Clients::new(model), summaries: RefCell::default() }
    }

    /// The call behind `firstValueFrom(client.get(…))`, which starts it.
    pub(super) fn subscribed(&self, call: &'a CallExpression<'a>) -> Option<&'a CallExpression<'a>> {
        let path = self.model.callee(call);
        let starts = ["firstValueFrom", "lastValueFrom"].iter().any(|name| self.model.is_from(&path, &["rxjs"], name));
        match argument(&call.arguments, 0)? {
            Expression::CallExpression(inner) if starts => Some(inner),
            _ => None,
        }
    }

    /// Takes a chain of calls apart.
    pub fn chain(&self, call: &'a CallExpression<'a>) -> Chain<'a> {
        let mut calls = vec![call];
        let mut links = Vec::new();
        let mut path = self.model.callee(call);
        while let Root::Call(inner) = path.root {
            let mut members = path.members;
            members.append(&mut links);
            links = members;
            calls.push(inner);
            path = self.model.callee(inner);
        }
        calls.reverse();
        Chain { base: path, calls, links }
    }

    /// What a call does.
    pub fn call(&self, call: &'a CallExpression<'a>) -> CallEffect {
        if let Some(inner) = self.subscribed(call) {
            return CallEffect { promises: false, ..self.call(inner) };
        }
        let mut chain = self.chain(call);
        let settled = self.strip_handlers(&mut chain);
        let at = AstKind::CallExpression(call).node_id();
        let mut found = self.of_chain(&chain, at);
        found.carries_transaction = chain.calls.iter().any(|call| self.carries_transaction(call));
        if shape::is_one_connection(self.model, &chain.base, at) {
            found.nature = Nature::Serial;
        }
        if !settled {
            found.effect = found.effect.max(Effect::Unknown);
            found.promises = false;
        }
        found
    }

    fn of_chain(&self, chain: &Chain<'a>, at: NodeId) -> CallEffect {
        let client = self.clients.of_path(&chain.base, at).or_else(|| shape::client(self.model, chain, at));
        // What another file hands out or declares it knows better than a name
        // tells.
        let declared = |kind: Kind| {
            let method = chain.links.iter().all(|link| READS_BODY.contains(link));
            // `prisma.user.findMany` is the client's own; `deps.orders.open` is
            // what the container of another file holds.
            let between = usize::from(kind == Kind::Repository);
            let own =
                |name: NameRef| is_project_module(&name.module) && (1..=1 + between).contains(&name.members.len());
            method && self.model.typed_ref(&chain.base, at).is_some_and(own)
        };
        let asked = |(client, _): &(Client, usize)| {
            client.by_name && (self.given_elsewhere(&chain.base, at).is_some() || declared(client.kind))
        };
        // So it does of a method whose name says nothing.
        let silent = |(client, used): &(Client, usize)| {
            let names = || chain.base.members[*used..].iter().chain(&chain.links).copied().collect::<Vec<_>>();
            let elsewhere = || self.model.name_ref(&chain.base).is_some_and(|name| is_project_module(&name.module));
            let method = || chain.links.iter().all(|link| READS_BODY.contains(link));
            let says = || client::effect(self.model, *client, &names(), &chain.calls);
            client.by_name && elsewhere() && method() && says() == Effect::Unknown
        };
        let client = client.filter(|client| !asked(client) && !silent(client));
        if let Some((client, used)) = client.or_else(|| self.handed_out(chain, at)) {
            let names: Vec<&str> = chain.base.members[used..].iter().chain(&chain.links).copied().collect();
            return CallEffect {
                effect: client::effect(self.model, client, &names, &chain.calls),
                io: client.kind.io(),
                by: By::Client(client),
                nature: client.nature,
                carries_transaction: false,
                promises: !client.by_name,
                by_name: client.by_name,
                left_open: false,
            };
        }
        if let Some(function) = self.local_function(&chain.base, at)
            && chain.links.is_empty()
        {
            let summary = self.summary(function);
            let nature = if summary.public.uses_transaction { Nature::Either } else { Nature::Parallel };
            let asked = match (summary.decided_by, chain.calls.first()) {
                (Some(index), Some(call)) => handed::asked(self.model, call, index),
                _ => Effect::None,
            };
            return CallEffect {
                effect: summary.named.max(asked),
                io: summary.public.io,
                by: By::Function(function),
                nature,
                carries_transaction: false,
                promises: summary.public.is_async,
                by_name: summary.by_name,
                left_open: summary.is_left_open() && asked == Effect::None,
            };
        }
        let read = chain.links.iter().rev().find(|link| !READS_BODY.contains(link));
        let leaf = read.copied().unwrap_or_else(|| chain.base.leaf());
        let elsewhere = || self.model.name_ref(&chain.base).map(By::Imported);
        let typed = || self.model.typed_ref(&chain.base, at).map(By::Typed);
        let inherited = || self.inherited(&chain.base, at).map(By::Imported);
        let given = || self.given_elsewhere(&chain.base, at).map(By::Imported);
        let by = if chain.links.iter().all(|link| READS_BODY.contains(link)) {
            elsewhere().or_else(inherited).or_else(typed).or_else(given)
        } else {
            None
        };
        let by = by.unwrap_or(By::Name);
        let trapped = names::is_trap(leaf) || chain.base.members.contains(&"[]");
        let effect = match by {
            By::Imported(ref name) | By::Typed(ref name) if is_project_module(&name.module) => {
                names::effect_of_asked(leaf)
            }
            _ => names::effect_of(leaf),
        };
        let effect = match effect {
            Effect::Read if trapped => Effect::Unknown,
            other => other,
        };
        // A chain that changes something on its way is no read.
        let changes = chain.links.iter().any(|link| names::effect_of(link) == Effect::Write)
            || !chain.links.is_empty() && names::effect_of(chain.base.leaf()) == Effect::Write;
        let told = chain.calls.iter().any(|call| handed::says_write(self.model, call));
        let effect = match () {
            () if told => Effect::Write,
            () if changes => effect.max(Effect::Write),
            () => effect,
        };
        CallEffect {
            effect,
            io: Io::None,
            by,
            nature: Nature::Parallel,
            carries_transaction: false,
            promises: false,
            by_name: true,
            left_open: false,
        }
    }

    /// The method that the class around inherits from one of another file:
    /// `this.get(…)` of `class Users extends BaseClient`.
    fn inherited(&self, path: &Path<'a, 'a>, at: NodeId) -> Option<NameRef> {
        let (Root::This, [method]) = (path.root, path.members.as_slice()) else { return None };
        let AstKind::Class(class) = self.model.kind(self.model.class_of(at)?) else { return None };
        // What the class leaves to those that extend it, the one above it does
        // not answer for.
        let left_open = |element: &ClassElement<'_>| match element {
            ClassElement::MethodDefinition(own) => key_name(&own.key).as_deref() == Some(*method),
            ClassElement::PropertyDefinition(own) => key_name(&own.key).as_deref() == Some(*method),
            _ => false,
        };
        if class.body.body.iter().any(left_open) {
            return None;
        }
        let base = self.model.path_of(&class.heritage.as_ref()?.expression);
        let mut name = self.model.name_ref(&base)?;
        name.members.push((*method).to_owned());
        Some(name)
    }

    /// The name by which another file defines the client of a call, where only
    /// its name tells here that it is one.
    pub fn client_elsewhere(&self, call: &'a CallExpression<'a>, effect: &CallEffect) -> Option<NameRef> {
        let By::Client(Client { by_name: true, kind, .. }) = effect.by else { return None };
        // The text that it is given says more than its own file does.
        if kind == Kind::Sql {
            return None;
        }
        let chain = self.chain(call);
        let name = self.model.name_ref(&chain.base)?;
        chain.links.iter().all(|link| READS_BODY.contains(link)).then_some(name)
    }

    /// What the join must say of a call before it counts as a read: whether the
    /// imported function or client reads, and whether what a function of this
    /// file calls elsewhere does nothing worse.
    pub fn open_questions(&self, call: &'a CallExpression<'a>, effect: &CallEffect) -> Vec<Question> {
        match &effect.by {
            By::Imported(name) | By::Typed(name) if handed::hands_over(self.model, call) => {
                vec![Question::ReadsOnItsOwn(name.clone())]
            }
            By::Imported(name) | By::Typed(name) => vec![Question::ReadsIo(name.clone())],
            By::Client(_) => self.client_elsewhere(call, effect).into_iter().map(Question::ReadsIo).collect(),
            By::Function(function) => {
                let summary = self.summary(*function);
                let clients = summary.clients.iter().cloned().map(Question::ReadsIo);
                let waits = |name: &NameRef| effect.left_open && summary.waited.as_ref() == Some(name);
                let calls = summary.public.calls.iter().cloned();
                let asked = calls.map(|name| match waits(&name) {
                    true => Question::ReadsIo(name),
                    false => Question::OnlyReads(name),
                });
                clients.chain(asked).collect()
            }
            By::Name => Vec::new(),
        }
    }

    /// Takes `.then(…)`, `.catch(…)` and `.finally(…)` off the end of a chain.
    /// False where one of them does more than hand on a value.
    fn strip_handlers(&self, chain: &mut Chain<'a>) -> bool {
        let mut settled = true;
        while let Some(&"then" | &"catch" | &"finally") = chain.links.last() {
            let Some(call) = chain.calls.pop() else { break };
            chain.links.pop();
            settled &= call.arguments.iter().all(|argument| argument.as_expression().is_some_and(|a| self.hands_on(a)));
        }
        settled
    }

    /// `(r) => r.json()`, `(r) => r.data`, `() => null`.
    fn hands_on(&self, handler: &'a Expression<'a>) -> bool {
        let shown = match bare(handler) {
            Expression::ArrowFunctionExpression(arrow) => arrow.get_expression(),
            Expression::FunctionExpression(_) => None,
            _ => return false,
        };
        let value = shown.or_else(|| match self.model.body(self.model.node(handler))?.statements.as_slice() {
            [Statement::ReturnStatement(given)] => given.argument.as_ref(),
            _ => None,
        });
        let Some(value) = value else { return false };
        match bare(value) {
            Expression::CallExpression(call) => {
                matches!(self.model.callee(call).leaf(), "json" | "text" | "blob" | "arrayBuffer")
                    && call.arguments.is_empty()
            }
            Expression::Identifier(_)
            | Expression::StaticMemberExpression(_)
            | Expression::ChainExpression(_)
            | Expression::NullLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::NumericLiteral(_)
            | Expression::StringLiteral(_) => true,
            Expression::ArrayExpression(array) => array.elements.is_empty(),
            Expression::ObjectExpression(object) => object.properties.is_empty(),
            _ => false,
        }
    }

    /// True for a call that touches nothing but values, as far as the function
    /// around it can see.
    pub fn is_pure(&self, call: &'a CallExpression<'a>) -> bool {
        let at = AstKind::CallExpression(call).node_id();
        self.model.function_of(at).is_some_and(|function| pure::is_pure(self, call, function))
    }

    /// The function of this file that a path calls: a declared or constant
    /// function, or a method of the class around `at`.
    pub fn local_function(&self, path: &Path<'a, 'a>, at: NodeId) -> Option<NodeId> {
        match (path.root, path.members.as_slice()) {
            (Root::Symbol(symbol, _), []) => match self.model.binding(symbol) {
                Binding::Function(function) => Some(function),
                Binding::Constant(init) => self.function_of(init),
                _ => None,
            },
            (Root::Symbol(symbol, _), [method]) => match self.model.binding(symbol) {
                Binding::Constant(init) => match bare(init) {
                    Expression::ObjectExpression(object) => {
                        let value = super::values::property(object, method).found()?;
                        self.function_of(value)
                    }
                    _ => None,
                },
                Binding::Class(class) => self.method(class, method, true),
                _ => None,
            },
            (Root::This, [method]) => match self.model.class_of(at) {
                Some(class) => self.method_or_inherited(class, method),
                None => self.method_beside(at, method),
            },
            _ => None,
        }
    }

    /// A method of the object literal whose method a node stands in:
    /// `{ page() { … }, all() { this.page() } }`.
    fn method_beside(&self, at: NodeId, name: &str) -> Option<NodeId> {
        let model = self.model;
        let mut around = model.nodes().ancestor_ids(at);
        let own = around.find(|&id| match model.kind(id) {
            AstKind::Function(_) => matches!(model.nodes().parent_kind(id), AstKind::ObjectProperty(_)),
            _ => false,
        })?;
        let object = model.nodes().parent_id(model.nodes().parent_id(own));
        let AstKind::ObjectExpression(object) = model.kind(object) else { return None };
        self.function_of(super::values::property(object, name).found()?)
    }

    /// A method of a class, or of those of this file that it extends.
    fn method_or_inherited(&self, class: NodeId, name: &str) -> Option<NodeId> {
        /// Classes further up than this are not looked at; the bound also ends
        /// a cycle.
        const ABOVE: usize = 4;
        let mut class = class;
        for _ in 0..ABOVE {
            if let Some(method) = self.method(class, name, false) {
                return Some(method);
            }
            let AstKind::Class(own) = self.model.kind(class) else { return None };
            let base = self.model.path_of(&own.heritage.as_ref()?.expression);
            let (Root::Symbol(symbol, _), []) = (base.root, base.members.as_slice()) else { return None };
            let Binding::Class(above) = self.model.binding(symbol) else { return None };
            class = above;
        }
        None
    }

    fn function_of(&self, value: &'a Expression<'a>) -> Option<NodeId> {
        match bare(value) {
            function @ (Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)) => {
                Some(self.model.node(function))
            }
            _ => None,
        }
    }

    /// A class's method, or field that holds a function.
    pub fn method(&self, class: NodeId, name: &str, is_static: bool) -> Option<NodeId> {
        let AstKind::Class(class) = self.model.kind(class) else { return None };
        class.body.body.iter().find_map(|element| match element {
            ClassElement::MethodDefinition(method) => {
                let wanted = method.kind.is_method()
                    && method.r#static == is_static
                    && method.value.body.is_some()
                    && key_name(&method.key).as_deref() == Some(name);
                wanted.then(|| AstKind::Function(&method.value).node_id())
            }
            ClassElement::PropertyDefinition(property) if key_name(&property.key).as_deref() == Some(name) => {
                self.function_of(property.value.as_ref()?)
            }
            _ => None,
        })
    }

    /// The summary of a function of this file.
    pub fn summary(&self, function: NodeId) -> Rc<Summary> {
        if let Some(known) = self.summaries.borrow().get(&function) {
            // A function that is being summarised adds nothing to itself.
            return known.clone().unwrap_or_else(|| Rc::new(Summary::empty(self.model, function)));
        }
        self.summaries.borrow_mut().insert(function, None);
        let summary = Rc::new(Summary::of(self, function));
        self.summaries.borrow_mut().insert(function, Some(Rc::clone(&summary)));
        summary
    }

    /// True where an argument is called like a transaction, or an option hands one over.
    pub fn carries_transaction(&self, call: &'a CallExpression<'a>) -> bool {
        (0..call.arguments.len()).any(|index| {
            let Some(expression) = argument(&call.arguments, index) else {
                return matches!(&call.arguments[index], Argument::SpreadElement(_));
            };
            match expression {
                Expression::ObjectExpression(object) => object.properties.iter().any(|kind| match kind {
                    ObjectPropertyKind::ObjectProperty(property) => {
                        let nothing = matches!(bare(&property.value), Expression::NullLiteral(_));
                        let key = key_name(&property.key);
                        // `t` as a key is no transaction, but the `t` handed to it is.
                        let carrier = |name: &str| name.len() > 1 && names::is_carrier(name);
                        !nothing
                            && (key.is_some_and(|key| carrier(&key))
                                || matches!(bare(&property.value), Expression::Identifier(id) if carrier(&id.name)))
                    }
                    ObjectPropertyKind::SpreadProperty(_) => false,
                }),
                other => names::is_carrier(self.model.path_of(other).leaf()),
            }
        })
    }
}

/// What a call does; for a single question. Several questions to one file are
/// cheaper through one [`Effects`].
pub fn call_effect<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> CallEffect {
    Effects::new(model).call(call)
}

#[cfg(test)]
mod tests;
