//! What a file may hold, by the names around its reading.

use oxc_ast::AstKind;
use oxc_ast::ast::Expression;

use super::Blocking;
use crate::lang::typescript::Model;
use crate::lang::typescript::names::{LARGE_FILES, SMALL_FILES, has_word};
use crate::lang::typescript::path::argument;

/// Settings, keys and certificates, by the words of the path or of the function
/// around: files of a kilobyte or two.
pub(super) fn is_small<'a>(model: &Model<'a>, one: &Blocking<'a>) -> bool {
    let small = |name: &str| has_word(name, SMALL_FILES);
    let around = model.symbol_at(one.call.node_id.get());
    let own = around.rsplit('.').next().unwrap_or("");
    let Some(path) = argument(&one.call.arguments, 0) else { return small(own) };
    says(model, path, &small) || small(own)
}

/// Uploads, media, exports and their like, by the words of the path, of what is
/// written, of the function around, of its file or folder. Of other files nothing says
/// that they are more than a page: of 53 that were read in handlers, ten were
/// worth a change.
pub(super) fn is_large<'a>(model: &Model<'a>, one: &Blocking<'a>) -> bool {
    let large = |name: &str| has_word(name, LARGE_FILES);
    let around = model.symbol_at(one.call.node_id.get());
    // A module's `exports` are no export of data.
    let around = around.split('.').filter(|part| *part != "exports").any(large);
    let file = model.source.path.rsplitn(3, '/').take(2).any(large);
    let mut given = one.call.arguments.iter().filter_map(|given| given.as_expression()).take(2);
    around || file || given.any(|given| says(model, given, &large))
}

/// True where a name or a text in an expression is one of these.
/// `settings.mediaDir` lies in the settings, and names no such file.
fn says<'a>(model: &Model<'a>, expression: &'a Expression<'a>, is_it: &impl Fn(&str) -> bool) -> bool {
    model.subtree(model.node(expression)).any(|id| match model.kind(id) {
        AstKind::StringLiteral(text) => is_it(&text.value),
        AstKind::TemplateElement(text) => is_it(&text.value.raw),
        AstKind::StaticMemberExpression(member) => is_it(&member.property.name),
        AstKind::IdentifierReference(id_ref) => {
            let holds = matches!(model.nodes().parent_kind(id), AstKind::StaticMemberExpression(_));
            !holds && is_it(&id_ref.name)
        }
        _ => false,
    })
}
