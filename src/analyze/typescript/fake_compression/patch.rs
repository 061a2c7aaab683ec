//! The paired patch: gzip with a marker in the writer, and a reader that
//! knows the marker and still reads what was written before.
//!
//! Only where both functions stand together, are seen by nobody outside, are
//! async, and have the plain shape: then every entry goes through both.

use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, Expression, FunctionBody, MethodDefinition, Statement, TSAccessibility};
use oxc_syntax::node::NodeId;

use crate::analyze::typescript::layout;
use crate::lang::typescript::imports::{attached_start, indent_at, line_end, reference, semicolon};
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Draft, Import, Value};
use crate::source::{Language, Span};

/// The patch of a writer; `None` where its reader is not to be had.
pub fn draft(model: &Model<'_>, writer: NodeId) -> Option<Draft> {
    if model.recovered > 0 {
        return None;
    }
    let reader = reader_of(model, writer)?;
    let private = |node| model.is_async(node) && is_private(model, node);
    if !private(writer) || !private(reader) {
        return None;
    }
    let (text, written) = plain(model, writer)?;
    let (packed, read) = plain(model, reader)?;
    let written_from = encoded_input(model, written)?;
    let read_from = decoded_input(model, read)?;
    let is = |expression: &Expression<'_>, name: &str| matches!(bare(expression), Expression::Identifier(id) if id.name == name);
    if !is(written_from, &text) || !is(read_from, &packed) {
        return None;
    }
    let home = statement_at_top(model, writer)?;
    if model.imports.is_empty() {
        return None;
    }
    let names = Names::of(model)?;
    let gzip = reference(model, "zlib", "gzip")?;
    let gunzip = reference(model, "zlib", "gunzip")?;
    let promisify = reference(model, "util", "promisify")?;
    let end = semicolon(model);
    let newline = line_end(model.source);
    let Names { gzip: gzip_name, gunzip: gunzip_name, least, most, .. } = names;
    let head = [
        format!("const {gzip_name} = {}({}){end}", promisify.text, gzip.text),
        format!("const {gunzip_name} = {}({}){end}", promisify.text, gunzip.text),
        String::new(),
        "/** Below this size the header of gzip outweighs what it saves. */".to_owned(),
        format!("const {least} = 1024{end}"),
        "/** An entry that unpacks to more than this is refused. */".to_owned(),
        format!("const {most} = 64 * 1024 * 1024{end}"),
        String::new(),
        String::new(),
    ];
    let mut edits = vec![(Span::at(attached_start(model, span(&model.kind(home)))), head.join(newline))];
    let quote = if model.text(read).contains('"') { '"' } else { '\'' };
    let (plain, short) = (names.plain, names.packed);
    edits.push(body_edit(model, writer, |unit| {
        vec![
            format!("const {plain} = Buffer.from({text}){end}"),
            format!("if ({plain}.length >= {least}) {{"),
            format!("{unit}const {short} = (await {gzip_name}({plain})).toString({quote}base64{quote}){end}"),
            format!("{unit}if ({short}.length < {text}.length) {{"),
            format!("{unit}{unit}return `g:${{{short}}}`{end}"),
            format!("{unit}}}"),
            "}".to_owned(),
            format!("return `r:${{{text}}}`{end}"),
        ]
    })?);
    let legacy = model.text(read).to_owned();
    edits.push(body_edit(model, reader, |unit| {
        let source = format!("Buffer.from({packed}.slice(2), {quote}base64{quote})");
        vec![
            format!("if ({packed}.startsWith({quote}g:{quote})) {{"),
            format!("{unit}const {plain} = await {gunzip_name}({source}, {{ maxOutputLength: {most} }}){end}"),
            format!("{unit}return {plain}.toString(){end}"),
            "}".to_owned(),
            format!("if ({packed}.startsWith({quote}r:{quote})) {{"),
            format!("{unit}return {packed}.slice(2){end}"),
            "}".to_owned(),
            "// Entries written before the marker: `:` is not in base64's alphabet.".to_owned(),
            format!("return {legacy}{end}"),
        ]
    })?);
    edits.sort();
    let mut imports: Vec<Import> = [gzip, gunzip, promisify].into_iter().filter_map(|r| r.import).collect();
    imports.sort();
    Some(Draft { key: "gzip-pair".into(), edits, imports })
}

/// Names that the new code binds; `None` where the file uses one already.
struct Names {
    gzip: &'static str,
    gunzip: &'static str,
    least: &'static str,
    most: &'static str,
    plain: &'static str,
    packed: &'static str,
}

impl Names {
    fn of(model: &Model<'_>) -> Option<Self> {
        let free = |names: &[&'static str]| layout::free_name(model, names);
        Some(Self {
            gzip: free(&["gzipAsync", "gzipText"])?,
            gunzip: free(&["gunzipAsync", "gunzipText"])?,
            least: free(&["MIN_GZIP_BYTES", "GZIP_FROM_BYTES"])?,
            most: free(&["MAX_UNPACKED_BYTES", "GUNZIP_MAX_BYTES"])?,
            plain: free(&["plain", "plainBytes"])?,
            packed: free(&["gzipped", "gzippedText"])?,
        })
    }
}

/// The function beside the writer that takes its work back.
fn reader_of(model: &Model<'_>, writer: NodeId) -> Option<NodeId> {
    let own = model.name_of(writer)?;
    let own = words(&own);
    let wanted: Vec<String> = match own.first()?.as_str() {
        "compress" => vec!["decompress".to_owned(), "uncompress".to_owned()],
        "deflate" => vec!["inflate".to_owned()],
        "gzip" => vec!["gunzip".to_owned()],
        "zip" => vec!["unzip".to_owned()],
        _ => return None,
    };
    let beside = |&&node: &&NodeId| {
        model.class_of(node) == model.class_of(writer)
            && model.function_of(node) == model.function_of(writer)
            && model.name_of(node).is_some_and(|name| {
                let name = words(&name);
                name.split_first().is_some_and(|(first, rest)| wanted.contains(first) && rest == &own[1..])
            })
    };
    let mut found = model.index.functions.iter().filter(beside);
    let one = found.next().copied()?;
    found.next().is_none().then_some(one)
}

/// True where nothing outside the file can call the function: a private
/// method, or a function of the module that is not exported.
fn is_private(model: &Model<'_>, function: NodeId) -> bool {
    match model.nodes().parent_kind(function) {
        AstKind::MethodDefinition(method) => {
            let method: &MethodDefinition<'_> = method;
            method.accessibility == Some(TSAccessibility::Private) || method.key.is_private_identifier()
        }
        AstKind::PropertyDefinition(_) | AstKind::ObjectProperty(_) => false,
        _ => {
            let Some(name) = model.name_of(function) else { return false };
            let CommonJs(exported) = named_exports(model);
            !model.is_exported(function) && !exported.contains(&name.as_ref().to_owned())
        }
    }
}

struct CommonJs(Vec<String>);

/// Names in `export { a }` and in what is given to `module.exports`.
fn named_exports(model: &Model<'_>) -> CommonJs {
    let mut names = Vec::new();
    for node in model.nodes().iter() {
        match node.kind() {
            AstKind::ExportSpecifier(specifier) => names.push(specifier.local.name().to_string()),
            AstKind::ExportDefaultDeclaration(_) | AstKind::AssignmentExpression(_) => {
                let text = model.source.slice(span(&node.kind()));
                if text.starts_with("export default") || text.starts_with("module.") || text.starts_with("exports.") {
                    names.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    CommonJs(names)
}

/// The name of the one text parameter, and the value that the body's only
/// statement returns.
fn plain<'a>(model: &Model<'a>, function: NodeId) -> Option<(String, &'a Expression<'a>)> {
    let body: &FunctionBody<'_> = model.body(function)?;
    let [Statement::ReturnStatement(returned)] = body.statements.as_slice() else { return None };
    if model.has_comment(span(body)) {
        return None;
    }
    let parameters = model.parameters(function)?;
    let [parameter] = parameters.items.as_slice() else { return None };
    let BindingPattern::BindingIdentifier(name) = &parameter.pattern else { return None };
    let is_text = match &parameter.type_annotation {
        Some(annotation) => model.text(&annotation.type_annotation) == "string",
        // JavaScript does not say; `Buffer.from(x)` of another type would
        // read back as text in the old code too.
        None => model.source.language == Language::JavaScript,
    };
    (is_text && parameters.rest.is_none()).then_some((name.name.to_string(), returned.argument.as_ref()?))
}

/// `x` of `Buffer.from(x).toString('base64')`.
fn encoded_input<'a>(model: &Model<'a>, value: &'a Expression<'a>) -> Option<&'a Expression<'a>> {
    let (from, encoding) = buffer_round(model, value)?;
    let second = from.arguments.get(1).is_none() || text_of(model, from, 1).is_some_and(|t| is_utf8(&t));
    (encoding? == "base64" && second).then(|| argument(&from.arguments, 0))?
}

/// `x` of `Buffer.from(x, 'base64').toString()`.
fn decoded_input<'a>(model: &Model<'a>, value: &'a Expression<'a>) -> Option<&'a Expression<'a>> {
    let (from, encoding) = buffer_round(model, value)?;
    let text = encoding.is_none_or(|encoding| is_utf8(&encoding));
    (text && text_of(model, from, 1)? == "base64").then(|| argument(&from.arguments, 0))?
}

fn is_utf8(encoding: &str) -> bool {
    matches!(encoding.to_ascii_lowercase().as_str(), "utf8" | "utf-8")
}

type BufferCall<'a> = (&'a oxc_ast::ast::CallExpression<'a>, Option<String>);

/// The `Buffer.from(…)` of `Buffer.from(…).toString(encoding)`.
fn buffer_round<'a>(model: &Model<'a>, value: &'a Expression<'a>) -> Option<BufferCall<'a>> {
    let Expression::CallExpression(outer) = bare(value) else { return None };
    let Expression::StaticMemberExpression(member) = bare(&outer.callee) else { return None };
    let Expression::CallExpression(from) = bare(&member.object) else { return None };
    let made = member.property.name == "toString" && model.callee(from).is_global("Buffer", &["from"]);
    let encoding = if outer.arguments.is_empty() { None } else { Some(text_of(model, outer, 0)?) };
    made.then_some((from, encoding))
}

fn text_of(model: &Model<'_>, call: &oxc_ast::ast::CallExpression<'_>, index: usize) -> Option<String> {
    match model.value(argument(&call.arguments, index)?).here()? {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The statement of the module that holds the function.
fn statement_at_top(model: &Model<'_>, function: NodeId) -> Option<NodeId> {
    let nodes = model.nodes();
    let mut below = function;
    for id in nodes.ancestor_ids(function) {
        if matches!(nodes.kind(id), AstKind::Program(_)) {
            return Some(below);
        }
        below = id;
    }
    None
}

/// The body's only statement, replaced by lines of the same indentation.
fn body_edit(model: &Model<'_>, function: NodeId, lines: impl FnOnce(&str) -> Vec<String>) -> Option<(Span, String)> {
    let statement = model.body(function)?.statements.first()?;
    let at = span(statement);
    let indent = indent_at(model.source, at.start);
    // A body on the function's own line has no indentation to go by.
    if model.source.slice(Span::new(span(model.body(function)?).start, at.start)).lines().count() < 2 {
        return None;
    }
    let outer = indent_at(model.source, span(model.body(function)?).start);
    let unit = indent.strip_prefix(outer).filter(|unit| !unit.is_empty())?;
    Some((at, layout::lines(model, indent, &lines(unit))))
}
