//! Types and patterns.

use super::{Lower, ident, segments};
use crate::lang::rust::node::{Bound, Pattern, Ty};
use crate::source::Span;

impl Lower<'_> {
    pub(super) fn ty(&self, ty: &syn::Type) -> Ty {
        match ty {
            syn::Type::Path(path) => path_type(self, &path.path),
            syn::Type::Reference(reference) => {
                let mut inner = self.ty(&reference.elem);
                inner.reference = Some(reference.mutability.is_some());
                inner
            }
            syn::Type::Paren(inner) => self.ty(&inner.elem),
            syn::Type::Group(inner) => self.ty(&inner.elem),
            syn::Type::Tuple(tuple) => {
                let args = tuple.elems.iter().map(|t| self.ty(t)).collect();
                Ty { path: vec!["(tuple)".to_owned()], args, ..Ty::default() }
            }
            syn::Type::Slice(slice) => {
                Ty { path: vec!["[slice]".to_owned()], args: vec![self.ty(&slice.elem)], ..Ty::default() }
            }
            syn::Type::Array(array) => {
                Ty { path: vec!["[array]".to_owned()], args: vec![self.ty(&array.elem)], ..Ty::default() }
            }
            syn::Type::ImplTrait(bounds) => self.bounds(&bounds.bounds),
            syn::Type::TraitObject(bounds) => self.bounds(&bounds.bounds),
            _ => Ty::default(),
        }
    }

    fn bounds<'b>(&self, bounds: impl IntoIterator<Item = &'b syn::TypeParamBound>) -> Ty {
        let first = bounds.into_iter().find_map(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => Some(path_type(self, &bound.path)),
            _ => None,
        });
        Ty { dynamic: true, ..first.unwrap_or_default() }
    }

    pub(super) fn output(&self, output: &syn::ReturnType) -> Option<Ty> {
        match output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }

    /// A pattern with its written type, where it has one.
    pub(super) fn typed_pattern(&self, pat: &syn::Pat) -> (Pattern, Option<Ty>) {
        match pat {
            syn::Pat::Type(typed) => (self.pattern(&typed.pat), Some(self.ty(&typed.ty))),
            other => (self.pattern(other), None),
        }
    }

    pub(super) fn pattern(&self, pat: &syn::Pat) -> Pattern {
        let mut pattern = Pattern::default();
        match pat {
            syn::Pat::Ident(name) if name.subpat.is_none() && name.by_ref.is_none() => {
                pattern.plain = !is_constant(&name.ident.to_string());
            }
            syn::Pat::Wild(_) => pattern.wild = true,
            syn::Pat::TupleStruct(tuple) => pattern.path = segments(&tuple.path),
            syn::Pat::Struct(fields) => pattern.path = segments(&fields.path),
            _ => {}
        }
        self.bind(pat, &mut pattern.bound);
        let first = pattern.bound.first().map(|b| b.span).unwrap_or_default();
        pattern.span = pattern.bound.iter().fold(first, |all, b| all.cover(b.span));
        pattern
    }

    fn bind(&self, pat: &syn::Pat, bound: &mut Vec<Bound>) {
        match pat {
            syn::Pat::Ident(name) => {
                let text = ident(&name.ident);
                if !is_constant(&text) {
                    let span: Span = self.at(name.ident.span());
                    bound.push(Bound { name: text, span, mutable: name.mutability.is_some() });
                }
                if let Some((_, inner)) = &name.subpat {
                    self.bind(inner, bound);
                }
            }
            syn::Pat::Guard(inner) => self.bind(&inner.pat, bound),
            syn::Pat::Or(cases) => {
                if let Some(first) = cases.cases.first() {
                    self.bind(first, bound);
                }
            }
            syn::Pat::Paren(inner) => self.bind(&inner.pat, bound),
            syn::Pat::Reference(inner) => self.bind(&inner.pat, bound),
            syn::Pat::Slice(list) => list.elems.iter().for_each(|p| self.bind(p, bound)),
            syn::Pat::Struct(fields) => fields.fields.iter().for_each(|f| self.bind(&f.pat, bound)),
            syn::Pat::Tuple(list) => list.elems.iter().for_each(|p| self.bind(p, bound)),
            syn::Pat::TupleStruct(list) => list.elems.iter().for_each(|p| self.bind(p, bound)),
            syn::Pat::Type(inner) => self.bind(&inner.pat, bound),
            _ => {}
        }
    }
}

/// `None` and `MAX` in a pattern are constants, not bindings.
fn is_constant(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

fn path_type(lower: &Lower<'_>, path: &syn::Path) -> Ty {
    let mut args = Vec::new();
    for segment in &path.segments {
        match &segment.arguments {
            syn::PathArguments::AngleBracketed(angle) => {
                for argument in &angle.args {
                    match argument {
                        syn::GenericArgument::Type(ty) => args.push(lower.ty(ty)),
                        syn::GenericArgument::AssocType(assoc) => args.push(lower.ty(&assoc.ty)),
                        _ => {}
                    }
                }
            }
            syn::PathArguments::Parenthesized(function) => {
                if let Some(output) = lower.output(&function.output) {
                    args.push(output);
                }
            }
            syn::PathArguments::None => {}
        }
    }
    Ty { path: segments(path), args, ..Ty::default() }
}
