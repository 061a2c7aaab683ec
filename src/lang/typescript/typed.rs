//! Methods of other files' classes, by the written type of what they are
//! called on: `this.users.find(id)` where `users` is declared a `UserService`.

use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, ClassElement, Expression, TSType, TSTypeName};

use super::path::{Binding, Imported, Path, Root};
use super::values::key_name;
use super::{Model, bare};
use crate::observe::NameRef;
use oxc_syntax::node::NodeId;

impl<'a> Model<'a> {
    /// The method that a path calls, where its receiver is an object of a class
    /// or type of another file; `at` is a node inside the receiver's class.
    pub fn typed_ref(&self, path: &Path<'_, 'a>, at: NodeId) -> Option<NameRef> {
        let (imported, method) = match (path.root, path.members.as_slice()) {
            (Root::This, &[field, method]) => (self.type_of_field(self.class_of(at)?, field)?, method),
            (Root::Symbol(symbol, _), &[method]) => {
                let declared = self.declared_type(symbol).and_then(|ty| self.imported_type(ty));
                let made = || match self.binding(symbol) {
                    Binding::Constant(init) => self.class_made(init),
                    _ => None,
                };
                (declared.or_else(made)?, method)
            }
            _ => return None,
        };
        let members = vec![method.to_owned()];
        Some(NameRef { module: imported.module.to_owned(), name: imported.name.to_owned(), members })
    }

    /// The type of a field: as it is annotated, by the class that makes its
    /// value, or as a parameter property of the constructor.
    fn type_of_field(&self, class: NodeId, field: &str) -> Option<Imported<'a>> {
        let AstKind::Class(class) = self.kind(class) else { return None };
        class.body.body.iter().find_map(|element| match element {
            ClassElement::PropertyDefinition(property) if key_name(&property.key).as_deref() == Some(field) => {
                let annotated = property.type_annotation.as_ref();
                let annotated = annotated.and_then(|a| self.imported_type(&a.type_annotation));
                annotated.or_else(|| self.class_made(property.value.as_ref()?))
            }
            ClassElement::MethodDefinition(method) if method.kind.is_constructor() => {
                let parameter = method.value.params.items.iter().find(|parameter| {
                    let is_property = parameter.accessibility.is_some() || parameter.readonly;
                    let named = |id: &oxc_ast::ast::BindingIdentifier<'_>| id.name.as_str() == field;
                    is_property && matches!(&parameter.pattern, BindingPattern::BindingIdentifier(id) if named(id))
                })?;
                self.imported_type(&parameter.type_annotation.as_ref()?.type_annotation)
            }
            _ => None,
        })
    }

    fn imported_type(&self, ty: &TSType<'a>) -> Option<Imported<'a>> {
        let TSType::TSTypeReference(reference) = ty else { return None };
        let TSTypeName::IdentifierReference(id) = &reference.type_name else { return None };
        match self.binding(self.symbol_of(id)?) {
            Binding::Import(imported) => Some(imported),
            _ => None,
        }
    }

    fn class_made(&self, value: &'a Expression<'a>) -> Option<Imported<'a>> {
        let Expression::NewExpression(new) = bare(value) else { return None };
        let path = self.path_of(&new.callee);
        self.imported(&path).filter(|_| path.members.is_empty())
    }
}
