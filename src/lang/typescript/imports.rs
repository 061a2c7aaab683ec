//! Import edits for patches: all imports that the chosen patches of a file
//! need, as edits of that file.
//!
//! An existing import or `require` of the module is extended; else a new one
//! follows the last of its kind, else the directives and the header comment.

use std::collections::{BTreeMap, BTreeSet};

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    BindingPattern, Expression, ImportDeclaration, ImportDeclarationSpecifier, ImportOrExportKind, ObjectPattern,
    Statement,
};
use oxc_span::GetSpan;

use super::path::strip_node;
use super::{Model, bare, span};
use crate::observe::Import;
use crate::source::{Language, SourceFile, Span};

/// How patched code names something of a module, and the import that makes
/// the name known where it is not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The expression to write (`gzip`, `zlib.gzip`).
    pub text: String,
    /// What must be imported for it.
    pub import: Option<Import>,
}

/// The edits that make `imports` known in the file; `Some` of nothing where
/// they already are.
///
/// `None` where it cannot be done: a name is taken, the file does not show
/// whether it is a module or CommonJS, or a script would become a module.
pub fn edits(model: &Model<'_>, imports: &[Import]) -> Option<Vec<(Span, String)>> {
    let wanted: BTreeSet<&Import> = imports.iter().collect();
    let mut locals: BTreeMap<&str, &Import> = BTreeMap::new();
    for import in &wanted {
        let rival = locals.insert(local(import), import);
        if rival.is_some_and(|rival| !same_thing(rival, import)) {
            return None;
        }
    }
    let missing: Vec<&Import> = locals.into_values().filter(|import| !is_known(model, import)).collect();
    if missing.iter().any(|import| is_taken(model, local(import))) {
        return None;
    }
    if missing.is_empty() {
        return Some(Vec::new());
    }
    let style = Style::of(model)?;
    let mut by_module: BTreeMap<&str, Vec<&Import>> = BTreeMap::new();
    for import in missing {
        by_module.entry(strip_node(&import.module)).or_default().push(import);
    }
    let mut edits = Vec::new();
    let mut fresh = Vec::new();
    for (module, imports) in by_module {
        match extend(model, &style, module, &imports) {
            Some(edit) => edits.push(edit),
            None => fresh.extend(style.statements(&imports)),
        }
    }
    if !fresh.is_empty() {
        edits.push(style.place(model, &fresh));
    }
    edits.sort();
    Some(edits)
}

/// [`edits`] for a file that is parsed anew; `None` also where it does not parse.
pub fn edits_for(source: &SourceFile, imports: &[Import]) -> Option<Vec<(Span, String)>> {
    if imports.is_empty() {
        return Some(Vec::new());
    }
    let allocator = Allocator::default();
    let model = Model::parse(&allocator, source).ok()?;
    edits(&model, imports)
}

/// How patched code can name `name` of the built-in module `module` (given
/// without `node:`); `None` where no import can be added or every name is taken.
pub fn reference(model: &Model<'_>, module: &str, name: &str) -> Option<Reference> {
    let mut whole: Option<String> = None;
    let mut symbols: Vec<_> = model.imports.iter().collect();
    symbols.sort_by_key(|(symbol, _)| **symbol);
    for (&symbol, imported) in symbols {
        if strip_node(imported.module) != module || is_type_only(model, symbol) {
            continue;
        }
        let local = model.scoping().symbol_name(symbol);
        let shadowed = model.scoping().symbol_names().filter(|other| *other == local).count() > 1;
        match imported.name {
            _ if shadowed => {}
            own if own == name => return Some(Reference { text: local.to_owned(), import: None }),
            "default" | "*" => whole = whole.or_else(|| Some(format!("{local}.{name}"))),
            _ => {}
        }
    }
    if let Some(text) = whole {
        return Some(Reference { text, import: None });
    }
    let alias = if is_taken(model, name) {
        let other = prefixed(module, name);
        if is_taken(model, &other) {
            return None;
        }
        Some(other)
    } else {
        None
    };
    let prefix = if uses_node_prefix(model) { "node:" } else { "" };
    let import = Import { module: format!("{prefix}{module}"), name: name.to_owned(), alias };
    let text = local(&import).to_owned();
    edits(model, std::slice::from_ref(&import)).map(|_| Reference { text, import: Some(import) })
}

/// True where a name is bound or used anywhere in the file, so that a new
/// binding of it would clash or change what another place means.
pub fn is_taken(model: &Model<'_>, name: &str) -> bool {
    model.scoping().symbol_names().any(|symbol| symbol == name)
        || model.scoping().root_unresolved_references().keys().any(|global| global.as_str() == name)
}

/// The indentation of the line that `offset` lies on.
pub fn indent_at(source: &SourceFile, offset: u32) -> &str {
    let before = source.text.get(..offset as usize).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = source.text.get(line..).unwrap_or("");
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    &rest[..blanks]
}

/// The file's line ending: CRLF where the first line ends so.
pub fn line_end(source: &SourceFile) -> &'static str {
    match source.text.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Where a statement begins with the comments that stand directly above it.
pub fn attached_start(model: &Model<'_>, statement: Span) -> u32 {
    let mut start = statement.start;
    for comment in model.program.comments.iter().rev().map(|c| span(&c.span)) {
        if comment.end > start {
            continue;
        }
        let between = model.source.slice(Span::new(comment.end, start));
        let own_line = indent_starts(model.source, comment.start);
        if between.trim().is_empty() && between.matches('\n').count() == 1 && own_line {
            start = comment.start;
        } else {
            break;
        }
    }
    start
}

fn indent_starts(source: &SourceFile, offset: u32) -> bool {
    let before = source.text.get(..offset as usize).unwrap_or("");
    before.rsplit('\n').next().is_none_or(|line| line.trim_start_matches('\u{feff}').trim().is_empty())
}

fn local(import: &Import) -> &str {
    import.alias.as_deref().unwrap_or(&import.name)
}

fn same_thing(a: &Import, b: &Import) -> bool {
    strip_node(&a.module) == strip_node(&b.module) && a.name == b.name
}

fn is_known(model: &Model<'_>, import: &Import) -> bool {
    model.imports.iter().any(|(&symbol, imported)| {
        strip_node(imported.module) == strip_node(&import.module)
            && imported.name == import.name
            && model.scoping().symbol_name(symbol) == local(import)
            && !is_type_only(model, symbol)
    })
}

/// `import type` and `import { type x }` leave nothing at run time.
fn is_type_only(model: &Model<'_>, symbol: oxc_syntax::symbol::SymbolId) -> bool {
    model.scoping().symbol_flags(symbol).is_type_import()
}

fn uses_node_prefix(model: &Model<'_>) -> bool {
    model.imports.values().any(|imported| imported.module.starts_with("node:"))
}

fn prefixed(module: &str, name: &str) -> String {
    let stem: String =
        module.rsplit('/').next().unwrap_or(module).chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    stem.chars().chain(first).chain(chars).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum System {
    Module,
    CommonJs,
}

/// How the file writes its imports.
struct Style {
    system: System,
    quote: char,
    semicolon: &'static str,
    line_end: &'static str,
}

impl Style {
    /// `None` where the file shows neither a module nor CommonJS.
    fn of(model: &Model<'_>) -> Option<Self> {
        let source = model.source;
        Some(Self {
            system: system(model)?,
            quote: quote(model),
            semicolon: semicolon(model),
            line_end: line_end(source),
        })
    }

    fn statements(&self, imports: &[&Import]) -> Vec<String> {
        let Self { quote, semicolon, .. } = self;
        let module = &imports[0].module;
        let mut named = Vec::new();
        let mut out = Vec::new();
        for import in imports {
            let local = local(import);
            match (import.name.as_str(), self.system) {
                ("default", System::Module) => {
                    out.push(format!("import {local} from {quote}{module}{quote}{semicolon}"));
                }
                ("*", System::Module) => {
                    out.push(format!("import * as {local} from {quote}{module}{quote}{semicolon}"));
                }
                ("default" | "*", System::CommonJs) => {
                    out.push(format!("const {local} = require({quote}{module}{quote}){semicolon}"));
                }
                _ => named.push(self.specifier(import)),
            }
        }
        if !named.is_empty() {
            let named = named.join(", ");
            out.push(match self.system {
                System::Module => format!("import {{ {named} }} from {quote}{module}{quote}{semicolon}"),
                System::CommonJs => format!("const {{ {named} }} = require({quote}{module}{quote}){semicolon}"),
            });
        }
        out
    }

    fn specifier(&self, import: &Import) -> String {
        match (&import.alias, self.system) {
            (Some(alias), System::Module) if *alias != import.name => format!("{} as {alias}", import.name),
            (Some(alias), System::CommonJs) if *alias != import.name => format!("{}: {alias}", import.name),
            _ => import.name.clone(),
        }
    }

    /// The insertion of new statements: after the last import or `require` of
    /// the file's head, else before the first statement with its comments.
    fn place(&self, model: &Model<'_>, statements: &[String]) -> (Span, String) {
        let end = self.line_end;
        let mut after: Option<Span> = None;
        for statement in &model.program.body {
            match statement {
                Statement::ImportDeclaration(_) if self.system == System::Module => after = Some(span(statement)),
                Statement::VariableDeclaration(_) if self.system == System::CommonJs && is_require(statement) => {
                    after = Some(span(statement));
                }
                _ => {}
            }
        }
        let joined = statements.join(end);
        if let Some(after) = after {
            // Behind a comment that ends the line.
            let rest = model.source.text.get(after.end as usize..).unwrap_or("");
            let line = rest.split('\n').next().unwrap_or("");
            let tail = line.trim_end_matches('\r');
            let whole = tail.trim().is_empty() || tail.trim_start().starts_with("//");
            let at = if whole { after.end + tail.len() as u32 } else { after.end };
            return (Span::at(at), format!("{end}{joined}"));
        }
        let program = model.program;
        let head =
            program.directives.last().map(|d| span(&d.span)).or(program.hashbang.as_ref().map(|h| span(&h.span)));
        match (head, program.body.first()) {
            (Some(head), _) => {
                let rest =
                    model.source.text.get(head.end as usize..).unwrap_or("").trim_start_matches(['\r', ' ', ';']);
                let blank_follows = rest.strip_prefix('\n').is_none_or(|rest| rest.starts_with(['\n', '\r']));
                let gap = if blank_follows { "" } else { end };
                (Span::at(head.end), format!("{end}{end}{joined}{gap}"))
            }
            (None, Some(first)) => {
                let mut at = attached_start(model, span(first));
                // A comment at the very top may be a licence or speak to a
                // tool (`@ts-check`); it stays first.
                if model.source.slice(Span::new(0, at)).trim_start_matches('\u{feff}').trim().is_empty() {
                    let speaks_of_file =
                        model.program.comments.first().is_some_and(|c| c.span.end <= span(first).start)
                            && heads_file(model.source.slice(Span::new(at, span(first).start)));
                    at = if speaks_of_file { span(first).start } else { at };
                }
                (Span::at(at), format!("{joined}{end}{end}"))
            }
            (None, None) => (Span::at(model.source.text.len() as u32), format!("{joined}{end}")),
        }
    }
}

fn heads_file(comment: &str) -> bool {
    const MARKS: &[&str] =
        &["@ts-", "eslint", "licen", "copyright", "prettier", "@flow", "@jsx", "istanbul", "@file", "biome", "/*!"];
    let lower = comment.to_ascii_lowercase();
    MARKS.iter().any(|mark| lower.contains(mark))
}

fn system(model: &Model<'_>) -> Option<System> {
    let path = model.source.path.as_str();
    let is_module = model.program.body.iter().any(Statement::is_module_declaration);
    if is_module || path.ends_with(".mjs") || path.ends_with(".mts") {
        return Some(System::Module);
    }
    let javascript = model.source.language == Language::JavaScript;
    let requires = model.program.body.iter().any(is_require);
    let globals = model.scoping().root_unresolved_references();
    let exports = globals.keys().any(|name| matches!(name.as_str(), "module" | "exports"));
    (requires || javascript && exports || path.ends_with(".cjs")).then_some(System::CommonJs)
}

fn is_require(statement: &Statement<'_>) -> bool {
    let Statement::VariableDeclaration(declaration) = statement else { return false };
    declaration.declarations.iter().any(|declarator| {
        declarator.init.as_ref().is_some_and(|init| {
            let call = match bare(init) {
                Expression::StaticMemberExpression(member) => bare(&member.object),
                other => other,
            };
            matches!(call, Expression::CallExpression(call) if call.common_js_require().is_some())
        })
    })
}

fn quote(model: &Model<'_>) -> char {
    let first = model.program.body.iter().find_map(|statement| match statement {
        Statement::ImportDeclaration(import) => Some(span(&import.source)),
        _ => None,
    });
    if let Some(first) = first {
        return if model.source.slice(first).starts_with('"') { '"' } else { '\'' };
    }
    let mut double = 0i32;
    for node in model.nodes().iter() {
        if let oxc_ast::AstKind::StringLiteral(literal) = node.kind() {
            double += if model.text(literal).starts_with('"') { 1 } else { -1 };
        }
    }
    if double > 0 { '"' } else { '\'' }
}

/// `;` where the file's statements end so, else nothing.
pub fn semicolon(model: &Model<'_>) -> &'static str {
    let plain = model.program.body.iter().filter(|statement| {
        matches!(
            statement,
            Statement::ImportDeclaration(_) | Statement::VariableDeclaration(_) | Statement::ExpressionStatement(_)
        )
    });
    let mut ends = plain.map(|statement| model.text(statement).ends_with(';'));
    // Files with semicolons have them everywhere; a file of one class shows
    // it only further in.
    match ends.next() {
        Some(first) => {
            if first || ends.any(|end| end) {
                ";"
            } else {
                ""
            }
        }
        None if model.source.text.contains(";\n") || model.source.text.contains(";\r\n") => ";",
        None if model.source.text.contains('\n') => "",
        None => ";",
    }
}

/// The edit that adds named imports to an import or `require` that is there.
fn extend(model: &Model<'_>, style: &Style, module: &str, imports: &[&Import]) -> Option<(Span, String)> {
    if imports.iter().any(|import| matches!(import.name.as_str(), "default" | "*")) {
        return None;
    }
    let specifiers: Vec<String> = imports.iter().map(|import| style.specifier(import)).collect();
    model.program.body.iter().find_map(|statement| match (statement, style.system) {
        (Statement::ImportDeclaration(import), System::Module) if strip_node(&import.source.value) == module => {
            extend_import(model, import, &specifiers)
        }
        (Statement::VariableDeclaration(declaration), System::CommonJs) => {
            declaration.declarations.iter().find_map(|declarator| {
                let Some(Expression::CallExpression(call)) = declarator.init.as_ref().map(bare) else { return None };
                let required = call.common_js_require()?;
                let BindingPattern::ObjectPattern(pattern) = &declarator.id else { return None };
                if strip_node(&required.value) == module { extend_pattern(model, pattern, &specifiers) } else { None }
            })
        }
        _ => None,
    })
}

fn extend_import(model: &Model<'_>, import: &ImportDeclaration<'_>, named: &[String]) -> Option<(Span, String)> {
    if import.import_kind == ImportOrExportKind::Type || import.phase.is_some() || import.with_clause.is_some() {
        return None;
    }
    let specifiers = import.specifiers.as_ref()?;
    match specifiers.last()? {
        ImportDeclarationSpecifier::ImportSpecifier(last) => Some(append(model, span(&last.span), named)),
        ImportDeclarationSpecifier::ImportDefaultSpecifier(last) => {
            Some((Span::at(last.span().end), format!(", {{ {} }}", named.join(", "))))
        }
        ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => None,
    }
}

fn extend_pattern(model: &Model<'_>, pattern: &ObjectPattern<'_>, named: &[String]) -> Option<(Span, String)> {
    if pattern.rest.is_some() {
        return None;
    }
    Some(append(model, span(pattern.properties.last()?), named))
}

/// Adds names behind the last one of a list, on lines of their own where the
/// list has one name to a line.
fn append(model: &Model<'_>, last: Span, named: &[String]) -> (Span, String) {
    let before = model.source.text.get(..last.start as usize).unwrap_or("");
    let own_line = before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
    let separator = if own_line {
        format!(",{}{}", line_end(model.source), indent_at(model.source, last.start))
    } else {
        ", ".to_owned()
    };
    let mut text = String::new();
    for name in named {
        text.push_str(&separator);
        text.push_str(name);
    }
    (Span::at(last.end), text)
}

#[cfg(test)]
#[path = "imports_tests.rs"]
mod tests;
