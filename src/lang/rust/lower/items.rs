//! Items: functions, impls, modules, structs, uses.

use super::{Lower, ident, segments, use_names};
use crate::lang::rust::node::{Function, Impl, InsertAt, Kind, NodeId, Param, Receiver, Ty};
use crate::source::Span;

impl Lower<'_> {
    /// Lowers the items of a file, module or block, and fills its scope first:
    /// a `use` counts for all of its scope, before and after it.
    pub(super) fn items(&mut self, parent: NodeId, items: &[syn::Item]) {
        self.declare(parent, items.iter());
        let mut last_use: Option<u32> = None;
        let mut first: Option<u32> = None;
        for item in items {
            if let syn::Item::Use(item) = item {
                let end = self.at(item.semi_token.span).end;
                last_use = Some(self.line_end(end));
            }
            let id = self.item(parent, item);
            let start = id.map(|id| self.tree.span(id).start).unwrap_or_default();
            if start > 0 {
                first.get_or_insert(start);
            }
        }
        let place = last_use.map(InsertAt::AfterUse).or(first.map(InsertAt::Before));
        self.scope(parent).insert_at = place;
    }

    /// The end of the line where only a comment follows, so that it stays with
    /// its `use`.
    fn line_end(&self, end: u32) -> u32 {
        let rest = self.text.get(end as usize..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("").trim_end_matches('\r');
        if line.trim_start().starts_with("//") { end + line.len() as u32 } else { end }
    }

    pub(super) fn declare<'i>(&mut self, parent: NodeId, items: impl Iterator<Item = &'i syn::Item>) {
        for item in items {
            let name = match item {
                syn::Item::Use(item) => {
                    let scope = self.scope(parent);
                    use_names(&item.tree, &mut Vec::new(), scope);
                    continue;
                }
                syn::Item::ExternCrate(item) => {
                    let name = ident(&item.ident);
                    let alias = item.rename.as_ref().map_or_else(|| name.clone(), |(_, alias)| ident(alias));
                    self.scope(parent).uses.insert(alias, vec![name]);
                    continue;
                }
                syn::Item::Type(item) => {
                    let mut target = self.ty(&item.ty);
                    // `type Shared = Arc<App>` stands for what it holds.
                    while matches!(target.leaf(), "Arc" | "Rc" | "Box") && target.args.len() == 1 {
                        target = target.args.swap_remove(0);
                    }
                    let name = ident(&item.ident);
                    if !target.path.is_empty() && target.reference.is_none() && item.generics.params.is_empty() {
                        self.scope(parent).uses.insert(name, target.path);
                        continue;
                    }
                    name
                }
                syn::Item::Const(item) => ident(&item.ident),
                syn::Item::Static(item) => ident(&item.ident),
                syn::Item::Enum(item) => ident(&item.ident),
                syn::Item::Struct(item) => ident(&item.ident),
                syn::Item::Union(item) => ident(&item.ident),
                syn::Item::Trait(item) => ident(&item.ident),
                syn::Item::Fn(item) => ident(&item.sig.ident),
                syn::Item::Mod(item) => ident(&item.ident),
                _ => continue,
            };
            self.scope(parent).items.insert(name);
        }
    }

    /// Lowers one item; `None` for those without a node.
    pub(super) fn item(&mut self, parent: NodeId, item: &syn::Item) -> Option<NodeId> {
        match item {
            syn::Item::Fn(item) => {
                Some(self.function(parent, &item.attrs, &item.vis, &item.sig, Some(&item.block), None))
            }
            syn::Item::Impl(item) => Some(self.implementation(parent, item)),
            syn::Item::Mod(item) => {
                let (brace, items) = item.content.as_ref()?;
                let id = self.open(parent);
                self.note_attributes(id, &item.attrs);
                self.items(id, items);
                let span = self.between(item.mod_token.span, brace.span.close());
                Some(self.close(id, span, Kind::Module(ident(&item.ident))))
            }
            syn::Item::Static(item) => {
                let ty = self.ty(&item.ty);
                Some(self.once(parent, &item.attrs, ident(&item.ident), ty, &item.expr, item.static_token.span))
            }
            syn::Item::Const(item) => {
                let ty = self.ty(&item.ty);
                Some(self.once(parent, &item.attrs, ident(&item.ident), ty, &item.expr, item.const_token.span))
            }
            syn::Item::Struct(item) => {
                let fields = item.fields.iter().enumerate().map(|(index, field)| {
                    let name = field.ident.as_ref().map_or_else(|| index.to_string(), ident);
                    (name, self.ty(&field.ty))
                });
                let fields = fields.collect();
                self.tree.structs.insert(ident(&item.ident), fields);
                let id = self.open(parent);
                self.note_attributes(id, &item.attrs);
                self.derives(&item.attrs);
                let span = self.at(item.struct_token.span);
                Some(self.close(id, span, Kind::Item))
            }
            syn::Item::Enum(item) => {
                self.derives(&item.attrs);
                let id = self.open(parent);
                let span = self.at(item.enum_token.span);
                Some(self.close(id, span, Kind::Item))
            }
            syn::Item::Trait(item) => {
                let id = self.open(parent);
                self.note_attributes(id, &item.attrs);
                for member in &item.items {
                    if let syn::TraitItem::Fn(function) = member {
                        let vis = syn::Visibility::Inherited;
                        self.function(id, &function.attrs, &vis, &function.sig, function.default.as_ref(), None);
                    }
                }
                let span = self.between(item.trait_token.span, item.brace_token.span.close());
                Some(self.close(id, span, Kind::Trait(ident(&item.ident))))
            }
            _ => None,
        }
    }

    fn derives(&mut self, attrs: &[syn::Attribute]) {
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
            let span = self.between(attr.pound_token.span, attr.bracket_token.span.close());
            let text = self.text.get(span.range()).unwrap_or("").to_owned();
            self.tree.derives.push(text);
        }
    }

    fn once(
        &mut self,
        parent: NodeId,
        attrs: &[syn::Attribute],
        name: String,
        ty: Ty,
        value: &syn::Expr,
        first: proc_macro2::Span,
    ) -> NodeId {
        let id = self.open(parent);
        self.note_attributes(id, attrs);
        let value = self.expr(id, value);
        let span = self.at(first).cover(self.outer(value));
        self.close(id, span, Kind::Once { name, ty })
    }

    fn implementation(&mut self, parent: NodeId, item: &syn::ItemImpl) -> NodeId {
        let index = self.tree.impls.len();
        let self_ty = self.ty(&item.self_ty);
        let trait_path = item.trait_.as_ref().map(|(path, _)| segments(path));
        self.tree.impls.push(Impl { self_ty, trait_path });
        let id = self.open(parent);
        self.note_attributes(id, &item.attrs);
        for member in &item.items {
            match member {
                syn::ImplItem::Fn(function) => {
                    let body = Some(&function.block);
                    self.function(id, &function.attrs, &function.vis, &function.sig, body, Some(index));
                }
                syn::ImplItem::Const(constant) => {
                    let ty = self.ty(&constant.ty);
                    let name = ident(&constant.ident);
                    self.once(id, &constant.attrs, name, ty, &constant.expr, constant.const_token.span);
                }
                _ => {}
            }
        }
        let span = self.between(item.impl_token.span, item.brace_token.span.close());
        self.close(id, span, Kind::Impl(index))
    }

    fn function(
        &mut self,
        parent: NodeId,
        attrs: &[syn::Attribute],
        vis: &syn::Visibility,
        sig: &syn::Signature,
        block: Option<&syn::Block>,
        owner: Option<usize>,
    ) -> NodeId {
        let id = self.open(parent);
        self.note_attributes(id, attrs);
        let index = self.tree.functions.len();
        let mut params = Vec::new();
        let mut receiver = None;
        for input in &sig.inputs {
            match input {
                syn::FnArg::Receiver(this) => {
                    receiver = Some(match &this.kind {
                        syn::ReceiverKind::Reference(_, _, Some(_)) => Receiver::Exclusive,
                        syn::ReceiverKind::Reference(..) => Receiver::Shared,
                        _ => Receiver::Owned,
                    });
                }
                syn::FnArg::Typed(typed) => {
                    params.push(Param { pattern: self.pattern(&typed.pat), ty: self.ty(&typed.ty) });
                }
            }
        }
        self.tree.functions.push(Function {
            node: id,
            name: ident(&sig.ident),
            name_span: self.at(sig.ident.span()),
            is_async: sig.asyncness.is_some(),
            is_generic: !sig.generics.params.is_empty(),
            is_const: sig.constness.is_some(),
            params,
            receiver,
            output: self.output(&sig.output),
            owner,
            body: None,
        });
        let body = block.map(|block| self.block(id, block));
        self.tree.functions[index].body = body;
        let start = self.function_start(attrs, vis, sig);
        let end = body.map_or_else(|| self.at(sig.paren_token.span.close()).end, |b| self.tree.span(b).end);
        self.close(id, Span::new(start, end), Kind::Function(index))
    }

    /// The first byte of a function, attributes and visibility included.
    fn function_start(&self, attrs: &[syn::Attribute], vis: &syn::Visibility, sig: &syn::Signature) -> u32 {
        let attrs = attrs.iter().map(|a| a.pound_token.span);
        let vis = match vis {
            syn::Visibility::Public(token) => Some(token.span),
            syn::Visibility::Restricted(restricted) => Some(restricted.pub_token.span),
            syn::Visibility::Inherited => None,
        };
        let keywords = [sig.constness.map(|t| t.span), sig.asyncness.map(|t| t.span), Some(sig.fn_token.span)];
        let all = attrs.chain(vis).chain(keywords.into_iter().flatten());
        all.map(|token| self.at(token).start).min().unwrap_or_default()
    }
}
