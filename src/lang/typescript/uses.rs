//! What a piece of code defines and what it reads, by resolved names: a name
//! that is shadowed is another symbol, a closure's reads are the code's reads,
//! and a member write defines its root.

use std::collections::BTreeSet;

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, Expression, SimpleAssignmentTarget};
use oxc_syntax::node::NodeId;
use oxc_syntax::operator::UnaryOperator;
use oxc_syntax::symbol::SymbolId;

use super::names::{COLLECTING, is_logger, is_meter};
use super::path::Root;
use super::{Model, bare, span};
use crate::source::Span;

/// The names that a piece of code defines and reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Bound, assigned, updated, or written through a member.
    pub defines: BTreeSet<SymbolId>,
    /// Read, in closures too.
    pub reads: BTreeSet<SymbolId>,
    /// Globals that are read.
    pub globals: BTreeSet<String>,
    /// Globals that are assigned.
    pub defines_globals: BTreeSet<String>,
    /// `this` occurs.
    pub this: bool,
    /// A member of `this` is written.
    pub defines_this: bool,
    /// Names whose members are written; they count as defined too.
    pub mutates: BTreeSet<SymbolId>,
}

impl Uses {
    /// The names in the subtree of `node`.
    pub fn of(model: &Model<'_>, node: NodeId) -> Self {
        let mut uses = Self::default();
        for id in model.subtree(node) {
            uses.take(model, model.kind(id));
        }
        uses
    }

    /// The same, where what methods fill counts as defined too: the receiver of
    /// `conditions.push(x)`, and whatever takes part in a call whose answer
    /// nobody takes, such as `Object.assign(filter, x)`.
    pub fn with_filled(model: &Model<'_>, node: NodeId) -> Self {
        let mut uses = Self::of(model, node);
        for id in model.subtree(node) {
            let AstKind::CallExpression(call) = model.kind(id) else { continue };
            let callee = call.callee.get_inner_expression().as_member_expression();
            let receiver = callee.map(|member| member.object());
            // A log looks at what it is handed, and so does a counter.
            let measures = || {
                let path = model.callee(call);
                is_meter(path.receiver_name(), path.leaf())
            };
            let logs = || receiver.is_some_and(|on| is_logger(model.text(on))) || measures();
            let dropped = matches!(model.nodes().parent_kind(id), AstKind::ExpressionStatement(_)) && !logs();
            let collects =
                || callee.and_then(|c| c.static_property_name()).is_some_and(|name| COLLECTING.contains(&name));
            let given = call.arguments.iter().filter(|_| dropped).filter_map(|given| given.as_expression());
            for filled in receiver.filter(|_| dropped || collects()).into_iter().chain(given) {
                uses.define_root(model, filled);
            }
        }
        uses
    }

    fn take(&mut self, model: &Model<'_>, kind: AstKind<'_>) {
        match kind {
            AstKind::BindingIdentifier(id) => self.defines.extend(id.symbol_id.get()),
            AstKind::IdentifierReference(id) => {
                let Some(reference) = id.reference_id.get().map(|r| model.scoping().get_reference(r)) else { return };
                if !reference.is_value() && !reference.is_write() && !reference.is_read() {
                    return;
                }
                match reference.symbol_id() {
                    Some(symbol) => {
                        if reference.is_write() {
                            self.defines.insert(symbol);
                        }
                        if reference.is_read() {
                            self.reads.insert(symbol);
                        }
                    }
                    None => {
                        if reference.is_write() {
                            self.defines_globals.insert(id.name.to_string());
                        }
                        if reference.is_read() {
                            self.globals.insert(id.name.to_string());
                        }
                    }
                }
            }
            AstKind::ThisExpression(_) => self.this = true,
            AstKind::AssignmentExpression(assignment) => match &assignment.left {
                AssignmentTarget::StaticMemberExpression(m) => self.define_root(model, &m.object),
                AssignmentTarget::ComputedMemberExpression(m) => self.define_root(model, &m.object),
                AssignmentTarget::PrivateFieldExpression(m) => self.define_root(model, &m.object),
                _ => {}
            },
            AstKind::UpdateExpression(update) => match &update.argument {
                SimpleAssignmentTarget::StaticMemberExpression(m) => self.define_root(model, &m.object),
                SimpleAssignmentTarget::ComputedMemberExpression(m) => self.define_root(model, &m.object),
                SimpleAssignmentTarget::PrivateFieldExpression(m) => self.define_root(model, &m.object),
                _ => {}
            },
            AstKind::UnaryExpression(unary) if unary.operator == UnaryOperator::Delete => {
                self.define_root(model, &unary.argument);
            }
            _ => {}
        }
    }

    fn define_root(&mut self, model: &Model<'_>, object: &Expression<'_>) {
        // The lifetimes of the tree and of this borrow differ, so the root is
        // found by hand instead of through `path_of`.
        let mut object = object.get_inner_expression();
        loop {
            object = match object {
                Expression::StaticMemberExpression(m) => m.object.get_inner_expression(),
                Expression::ComputedMemberExpression(m) => m.object.get_inner_expression(),
                Expression::PrivateFieldExpression(m) => m.object.get_inner_expression(),
                Expression::Identifier(id) => {
                    let reference = id.reference_id.get().map(|r| model.scoping().get_reference(r));
                    match reference.and_then(oxc_semantic::Reference::symbol_id) {
                        Some(symbol) => {
                            self.defines.insert(symbol);
                            self.mutates.insert(symbol);
                        }
                        None => {
                            self.defines_globals.insert(id.name.to_string());
                        }
                    }
                    return;
                }
                Expression::ThisExpression(_) => {
                    self.defines_this = true;
                    return;
                }
                _ => return,
            };
        }
    }

    /// True where this code cannot be moved across `other`: one of them
    /// defines what the other reads or defines.
    pub fn conflicts(&self, other: &Self) -> bool {
        let meet = |a: &BTreeSet<SymbolId>, b: &BTreeSet<SymbolId>| !a.is_disjoint(b);
        meet(&self.defines, &other.reads)
            || meet(&self.reads, &other.defines)
            || meet(&self.defines, &other.defines)
            || !self.defines_globals.is_disjoint(&other.globals)
            || !self.globals.is_disjoint(&other.defines_globals)
            || !self.defines_globals.is_disjoint(&other.defines_globals)
            || self.defines_this && other.this
            || self.this && other.defines_this
    }

    /// Adds the names of more code.
    pub fn extend(&mut self, other: &Self) {
        self.defines.extend(&other.defines);
        self.reads.extend(&other.reads);
        self.globals.extend(other.globals.iter().cloned());
        self.defines_globals.extend(other.defines_globals.iter().cloned());
        self.mutates.extend(&other.mutates);
        self.this |= other.this;
        self.defines_this |= other.defines_this;
    }

    /// True where the code writes something that is bound outside of `node`,
    /// the subtree that these uses were read from.
    pub fn writes_outside(&self, model: &Model<'_>, node: NodeId) -> bool {
        self.defines_this
            || !self.defines_globals.is_empty()
            || self.defines.iter().any(|&symbol| !model.is_within(model.scoping().symbol_declaration(symbol), node))
    }
}

impl<'a> Model<'a> {
    /// The node and everything below it, in source order of their starts.
    /// Node ids are given on the way down, so a subtree is a run of ids.
    pub fn subtree(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let count = self.nodes().len();
        let first = node.index();
        (first..count).map(NodeId::new).take_while(move |&id| id == node || self.nodes().parent_id(id) >= node)
    }

    /// The direct children of a node.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.subtree(node).skip(1).filter(move |&id| self.nodes().parent_id(id) == node)
    }

    /// The node of an expression.
    pub fn node(&self, expression: &'a Expression<'a>) -> NodeId {
        AstKind::from_expression(expression).node_id()
    }

    /// The nodes of a subtree without those of functions inside it.
    pub fn own_code(&self, node: NodeId) -> Vec<NodeId> {
        let mut out = Vec::new();
        let mut skip_below: Option<NodeId> = None;
        for id in self.subtree(node) {
            if let Some(function) = skip_below {
                if self.is_within(id, function) {
                    continue;
                }
                skip_below = None;
            }
            if id != node && super::functions::is_function(self.kind(id)) {
                skip_below = Some(id);
                continue;
            }
            out.push(id);
        }
        out
    }

    /// Names that the code in `within` reads or writes and that are bound
    /// outside of it, globals included; sorted.
    pub fn free_names(&self, within: Span) -> BTreeSet<&'a str> {
        let mut names = BTreeSet::new();
        for node in self.nodes().iter() {
            let AstKind::IdentifierReference(id) = node.kind() else { continue };
            if !within.contains(span(&id.span)) {
                continue;
            }
            let outside = match self.symbol_of(id) {
                Some(symbol) => !within.contains(span(&self.scoping().symbol_span(symbol))),
                None => true,
            };
            if outside {
                names.insert(id.name.as_str());
            }
        }
        names
    }

    /// The root of an expression where it is a name of this file.
    pub fn root_symbol(&self, expression: &Expression<'a>) -> Option<SymbolId> {
        match self.path_of(bare(expression)).root {
            Root::Symbol(symbol, _) => Some(symbol),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Language, PathClass, SourceFile};
    use oxc_allocator::Allocator;

    /// Uses of the statements of the first function's body.
    fn statements(text: &str, check: impl FnOnce(&Model<'_>, Vec<Uses>)) {
        let source = SourceFile::new("a.ts", Language::TypeScript, PathClass::Product, text.to_owned());
        let allocator = Allocator::default();
        let model = Model::parse(&allocator, &source).expect("parses");
        let body = model
            .index
            .blocks
            .iter()
            .copied()
            .find(|&b| matches!(model.kind(b), AstKind::FunctionBody(_)))
            .expect("a body");
        let uses = model.children(body).map(|child| Uses::of(&model, child)).collect();
        check(&model, uses);
    }

    fn conflict(first: &str, second: &str) -> bool {
        let mut found = false;
        let text =
            format!("const k = 1; async function run(this: any, o: any, p: any, q: any) {{ {first}\n{second} }}");
        statements(&text, |_, uses| {
            assert_eq!(uses.len(), 2, "{text}");
            found = uses[0].conflicts(&uses[1]);
        });
        found
    }

    #[test]
    fn names_in_patterns_defaults_and_templates_count() {
        assert!(conflict("const { a, b: [c = 1] } = await o();", "const d = await p(`${c}`);"));
        assert!(conflict("const { ...rest } = await o();", "const d = await p({ [rest.x]: 1 });"));
        assert!(conflict("const a = await o();", "const { b = a } = await p();"));
        assert!(!conflict("const a = await o();", "const b = await p(q, k);"));
    }

    #[test]
    fn shadowed_names_are_others_and_closures_read() {
        assert!(!conflict("const a = await o();", "const b = await p((a: any) => a + 1);"));
        assert!(conflict("const a = await o();", "const b = await p(() => a);"));
    }

    #[test]
    fn member_writes_define_their_root() {
        assert!(conflict("o.x.y = await p();", "const b = await q(o);"));
        assert!(conflict("o.n++;", "const b = await q(o);"));
        assert!(conflict("delete o.n;", "const b = await q(o);"));
        assert!(conflict("this.x = await p();", "const b = await this.y();"));
        assert!(!conflict("const a = await this.x();", "const b = await this.y();"));
        assert!(conflict("settings = await p();", "const b = await q(settings);"));
    }

    #[test]
    fn types_are_no_reads() {
        let text = "type T = number; async function run(o: any) { const a: T = 1; const T2 = o; }";
        statements(text, |_, uses| assert!(!uses[0].conflicts(&uses[1])));
    }

    #[test]
    fn free_names_leave_out_what_is_bound_inside() {
        let text = "const k = 1; function f(o: any) { return o.map((x: any) => x + k + y); }";
        let source = SourceFile::new("a.ts", Language::TypeScript, PathClass::Product, text.to_owned());
        let allocator = Allocator::default();
        let model = Model::parse(&allocator, &source).expect("parses");
        let at = text.find("o.map").expect("there") as u32;
        let names = model.free_names(Span::new(at, text.len() as u32));
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["k", "o", "y"]);
    }
}
