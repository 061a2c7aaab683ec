//! TypeScript and JavaScript behind the model's words: an oxc tree with
//! resolved names, and what rules ask of it.
//!
//! - [`names`]: what a callee's name alone says
//! - [`once`]: what many places ask of the whole file, answered once
//! - [`path`]: `a.b.c()` as a root and members; what a name is bound to
//! - [`values`]: constant values
//! - [`functions`]: enclosing functions and symbols
//! - [`context`]: where code runs
//! - [`facts`]: what a file as a whole shows
//! - [`clients`]: which receivers are I/O clients
//! - [`effects`]: what a call does
//! - [`named`]: functions that only their name leads to
//! - [`typed`]: methods of other files' classes, by written types
//! - [`uses`]: what a piece of code defines and reads
//! - [`exports`]: what other files may ask of this one
//! - [`imports`]: import edits for patches

pub mod clients;
pub mod context;
pub mod effects;
pub mod environment;
pub mod exports;
pub mod facts;
pub mod functions;
pub mod imports;
pub mod named;
pub mod names;
pub mod once;
pub mod path;
pub mod typed;
pub mod uses;
pub mod values;

use std::borrow::Cow;

use oxc_allocator::Allocator;
use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, Expression, Program};
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_semantic::{AstNodes, Scoping, Semantic, SemanticBuilder};
use oxc_span::{GetSpan, SourceType};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;
use rustc_hash::FxHashMap;

use crate::source::{Language, SourceFile, Span, for_parsers};

/// One TypeScript or JavaScript file, parsed and resolved.
pub struct Model<'a> {
    /// The file.
    pub source: &'a SourceFile,
    /// The tree.
    pub program: &'a Program<'a>,
    /// Scopes, symbols and the nodes' parents.
    pub semantic: Semantic<'a>,
    /// Nodes by the kinds that analyses start from.
    pub index: Index,
    /// Imported names by symbol.
    pub imports: FxHashMap<SymbolId, path::Imported<'a>>,
    /// Syntax errors that the parser recovered from.
    pub recovered: usize,
    /// What many places ask of the whole file.
    pub once: once::Once,
    facts: facts::FileFacts,
}

/// Node ids by kind, in source order.
#[derive(Default)]
pub struct Index {
    /// Calls.
    pub calls: Vec<NodeId>,
    /// `new` expressions.
    pub news: Vec<NodeId>,
    /// Awaits.
    pub awaits: Vec<NodeId>,
    /// Functions and arrows.
    pub functions: Vec<NodeId>,
    /// Classes.
    pub classes: Vec<NodeId>,
    /// Blocks, function bodies and other statement lists.
    pub blocks: Vec<NodeId>,
    /// `for`, `for of`, `for in`, `while`, `do`.
    pub loops: Vec<NodeId>,
    /// Object literals.
    pub objects: Vec<NodeId>,
    /// Array literals.
    pub arrays: Vec<NodeId>,
    /// `this.field = …`.
    pub field_assignments: Vec<NodeId>,
}

/// Why a file has no typed tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFailure {
    /// The parser's first message.
    pub message: String,
    /// Where, in bytes.
    pub offset: Option<u32>,
}

/// How many syntax errors the parser recovers from in a file; `None` where it
/// gives up. Resolves no names: cheaper than a [`Model`].
pub fn syntax_errors(source: &SourceFile) -> Option<usize> {
    let allocator = Allocator::default();
    let parsed = syntax(&allocator, source);
    (!parsed.panicked).then(|| parsed.diagnostics.len())
}

/// The comments of a file, in their order; `None` where the parser gives up.
/// Resolves no names.
pub fn comments(source: &SourceFile) -> Option<Vec<Span>> {
    let allocator = Allocator::default();
    let parsed = syntax(&allocator, source);
    (!parsed.panicked).then(|| parsed.program.comments.iter().map(|c| span(&c.span)).collect())
}

fn syntax<'a>(allocator: &'a Allocator, source: &'a SourceFile) -> ParserReturn<'a> {
    let options =
        ParseOptions { allow_return_outside_function: true, preserve_parens: false, ..ParseOptions::default() };
    let text = match for_parsers(&source.text) {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => allocator.alloc_str(&text),
    };
    Parser::new(allocator, text, source_type(source)).with_options(options).parse()
}

impl<'a> Model<'a> {
    /// Parses and resolves a file; `allocator` holds the tree.
    ///
    /// # Errors
    /// [`ParseFailure`] where the parser gave up on the file.
    pub fn parse(allocator: &'a Allocator, source: &'a SourceFile) -> Result<Self, ParseFailure> {
        let parsed = syntax(allocator, source);
        if parsed.panicked {
            let first = parsed.diagnostics.iter().next();
            let message = first.map_or_else(|| "the parser gave up".to_owned(), |d| d.message.to_string());
            let offset = first.and_then(|d| d.labels.first()).map(|label| label.offset());
            return Err(ParseFailure { message, offset });
        }
        let recovered = parsed.diagnostics.len();
        let program: &'a Program<'a> = allocator.alloc(parsed.program);
        let semantic = SemanticBuilder::new().with_build_nodes(true).build(program).semantic;
        let index = Index::of(semantic.nodes());
        let imports = path::collect_imports(program, &semantic);
        let facts = facts::FileFacts::of(source, program, semantic.scoping(), &imports);
        let once = once::Once::default();
        Ok(Self { source, program, semantic, index, imports, recovered, once, facts })
    }

    /// The nodes of the tree.
    pub fn nodes(&self) -> &AstNodes<'a> {
        self.semantic.nodes()
    }

    /// The scopes and symbols.
    pub fn scoping(&self) -> &Scoping {
        self.semantic.scoping()
    }

    /// What the file as a whole shows (browser code, a test library …).
    pub fn facts(&self) -> &facts::FileFacts {
        &self.facts
    }

    /// A node's kind.
    pub fn kind(&self, node: NodeId) -> AstKind<'a> {
        self.nodes().kind(node)
    }

    /// The text of a node.
    pub fn text(&self, node: &impl GetSpan) -> &'a str {
        self.source.slice(span(node))
    }

    /// True where a comment lies inside the span.
    pub fn has_comment(&self, within: Span) -> bool {
        self.comments(within).next().is_some()
    }

    /// All comments, in their order.
    pub fn all_comments(&self) -> Vec<Span> {
        self.program.comments.iter().map(|c| span(&c.span)).collect()
    }

    /// The comments inside a span.
    pub fn comments(&self, within: Span) -> impl Iterator<Item = (Span, &'a str)> + '_ {
        let all = &self.program.comments;
        let from = all.partition_point(|c| c.span.start < within.start);
        let rest = all[from..].iter().map(|c| span(&c.span)).take_while(move |c| c.start <= within.end);
        rest.filter(move |&c| within.contains(c)).map(|c| (c, self.source.slice(c)))
    }

    /// True where `inner` is `outer` or below it.
    pub fn is_within(&self, inner: NodeId, outer: NodeId) -> bool {
        inner == outer || self.nodes().ancestor_ids(inner).any(|id| id == outer)
    }
}

impl Index {
    fn of(nodes: &AstNodes<'_>) -> Self {
        let mut index = Self::default();
        for (id, node) in nodes.iter_enumerated() {
            let list = match node.kind() {
                AstKind::CallExpression(_) => &mut index.calls,
                AstKind::NewExpression(_) => &mut index.news,
                AstKind::AwaitExpression(_) => &mut index.awaits,
                AstKind::Function(_) | AstKind::ArrowFunctionExpression(_) => &mut index.functions,
                AstKind::Class(_) => &mut index.classes,
                AstKind::BlockStatement(_)
                | AstKind::FunctionBody(_)
                | AstKind::SwitchCase(_)
                | AstKind::Program(_) => &mut index.blocks,
                AstKind::ForStatement(_)
                | AstKind::ForOfStatement(_)
                | AstKind::ForInStatement(_)
                | AstKind::WhileStatement(_)
                | AstKind::DoWhileStatement(_) => &mut index.loops,
                AstKind::ObjectExpression(_) => &mut index.objects,
                AstKind::ArrayExpression(_) => &mut index.arrays,
                AstKind::AssignmentExpression(assignment) if is_own_field(&assignment.left) => {
                    &mut index.field_assignments
                }
                _ => continue,
            };
            list.push(id);
        }
        index
    }
}

fn is_own_field(target: &AssignmentTarget<'_>) -> bool {
    match target {
        AssignmentTarget::StaticMemberExpression(member) => matches!(member.object, Expression::ThisExpression(_)),
        AssignmentTarget::PrivateFieldExpression(member) => matches!(member.object, Expression::ThisExpression(_)),
        _ => false,
    }
}

/// The span of an oxc node as ours.
pub fn span(node: &impl GetSpan) -> Span {
    let span = node.span();
    Span::new(span.start, span.end)
}

/// An expression without casts, non-null marks and parentheses.
pub fn bare<'e, 'a>(expression: &'e Expression<'a>) -> &'e Expression<'a> {
    expression.get_inner_expression()
}

/// `.mts`, `.cts`, `.mjs` and `.cjs` say their kind; others may hold either
/// modules or scripts, which only the parser can tell. `.js` may hold JSX.
fn source_type(source: &SourceFile) -> SourceType {
    let extension = source.path.rsplit('.').next().unwrap_or("");
    match (source.language, extension) {
        (Language::Tsx, _) => SourceType::tsx(),
        (Language::TypeScript, _) => SourceType::ts(),
        (_, "cjs") => SourceType::cjs().with_jsx(true),
        (_, "mjs") => SourceType::mjs().with_jsx(true),
        _ => SourceType::unambiguous().with_jsx(true),
    }
}
