//! Finds the items of other files that code uses.

use std::collections::BTreeSet;

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::token::{Brace, Bracket, Paren};
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, ExprAssign, ExprBlock, ExprCall, ExprIf, ExprMethodCall, Field, FieldValue, Ident,
    ImplItemConst, ImplItemFn, ImplItemMacro, ImplItemType, Item, ItemFn, ItemMod, ItemUse, Lifetime, Local,
    Macro, PatIdent, Path, Stmt, StmtMacro, Token, TraitItemConst, TraitItemFn, TraitItemType, Variant,
    Visibility, braced, bracketed, parenthesized,
};

use super::names::{Defined, ModuleId, Names, Target};
use super::tree::{Tree, attributes, define, imports, is_for_tests, is_reexport, plain};

/// That a file uses an item of another.
#[derive(Debug)]
pub(crate) struct Use {
    /// The file that uses it.
    pub(crate) from: String,
    /// The item.
    pub(crate) item: Defined,
}

/// All uses in a crate.
pub(crate) fn uses(tree: Tree) -> Vec<Use> {
    let mut finder = Finder { names: tree.names, module: 0, bound: BTreeSet::new(), found: Vec::new() };
    for part in tree.parts {
        finder.module = part.module;
        part.items.iter().for_each(|item| finder.visit_item(item));
    }
    finder.found
}

/// Walks through the code of a module.
struct Finder {
    names: Names,
    /// The module, or the block in it.
    module: ModuleId,
    /// Names of variables in the function, which are no items.
    bound: BTreeSet<String>,
    found: Vec<Use>,
}

impl Finder {
    /// Sees a path that has been written; whether it led anywhere.
    fn see(&mut self, path: &[String]) -> bool {
        let targets = match path {
            [name] if self.bound.contains(name) => return false,
            path => self.names.resolve(self.module, path),
        };
        let known = !targets.is_empty();
        for target in targets {
            if let Target::Item(item) = target {
                self.keep(item);
            }
        }
        known
    }

    /// Sees the path of a macro.
    fn see_macro(&mut self, path: &[String]) {
        if !self.see(path)
            && let [name] = path
            && let Some(item) = self.names.macro_named(name).cloned()
        {
            self.keep(item);
        }
    }

    fn keep(&mut self, item: Defined) {
        let from = self.names.file(self.module);
        if from != item.file {
            self.found.push(Use { from: from.to_owned(), item });
        }
    }

    /// Sees what looks like a path in the tokens of a macro.
    fn see_tokens(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            if input.peek(Ident::peek_any) {
                self.see_words(input)?;
            } else if input.peek(Paren) || input.peek(Bracket) || input.peek(Brace) {
                self.see_group(input)?;
            } else if input.peek(Lifetime) {
                input.parse::<Lifetime>()?;
            } else {
                pass_over(input)?;
            }
        }
        Ok(())
    }

    fn see_group(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let inside;
        if input.peek(Paren) {
            parenthesized!(inside in input);
        } else if input.peek(Bracket) {
            bracketed!(inside in input);
        } else {
            braced!(inside in input);
        }
        self.see_tokens(&inside)
    }

    /// Sees words with `::` between them. One word alone may be anything; what is called or has
    /// the name of a type may be an item.
    fn see_words(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let mut path = vec![plain(&input.call(Ident::parse_any)?)];
        while input.peek(Token![::]) {
            input.parse::<Token![::]>()?;
            if !input.peek(Ident::peek_any) {
                break;
            }
            path.push(plain(&input.call(Ident::parse_any)?));
        }
        if input.peek(Token![!]) && !input.peek(Token![!=]) {
            self.see_macro(&path);
        } else if path.len() > 1 || input.peek(Paren) || is_capital(&path[0]) {
            self.see(&path);
        }
        Ok(())
    }

    /// Goes through a function, of whose variables none is an item.
    fn within(&mut self, variables: Variables, walk: impl FnOnce(&mut Self)) {
        let outside = self.bound.clone();
        self.bound.extend(variables.0);
        walk(self);
        self.bound = outside;
    }
}

/// Passes over a token that begins no path, and over the name after it that belongs to it.
fn pass_over(input: ParseStream<'_>) -> syn::Result<()> {
    let owns_name = input.peek(Token![::]) || (input.peek(Token![.]) && !input.peek(Token![..]));
    let is_variable = input.peek(Token![$]) && !input.peek2(Token![crate]);
    if input.peek(Token![::]) {
        input.parse::<Token![::]>()?;
    } else {
        input.step(|at| at.token_tree().map(|(_, rest)| ((), rest)).ok_or_else(|| at.error("no token")))?;
    }
    if (owns_name || is_variable) && input.peek(Ident::peek_any) {
        input.call(Ident::parse_any)?;
    }
    Ok(())
}

/// Whether a name is that of a type or a constant, by custom.
fn is_capital(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

fn segments(path: &Path) -> Vec<String> {
    match path.leading_colon {
        None => path.segments.iter().map(|segment| plain(&segment.ident)).collect(),
        Some(_) => Vec::new(),
    }
}

/// Goes into what is not for tests.
macro_rules! but_tests {
    ($($visit:ident: $node:ty),* $(,)?) => {
        $(fn $visit(&mut self, node: &'ast $node) {
            if !is_for_tests(&node.attrs) {
                visit::$visit(self, node);
            }
        })*
    };
}

/// Goes into functions that are not for tests, with their variables.
macro_rules! functions {
    ($($visit:ident: $node:ty),* $(,)?) => {
        $(fn $visit(&mut self, node: &'ast $node) {
            if !is_for_tests(&node.attrs) {
                let mut variables = Variables::default();
                visit::$visit(&mut variables, node);
                self.within(variables, |finder| visit::$visit(finder, node));
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Finder {
    but_tests! {
        visit_arm: Arm,
        visit_expr_assign: ExprAssign,
        visit_expr_block: ExprBlock,
        visit_expr_call: ExprCall,
        visit_expr_if: ExprIf,
        visit_expr_method_call: ExprMethodCall,
        visit_field: Field,
        visit_field_value: FieldValue,
        visit_impl_item_const: ImplItemConst,
        visit_impl_item_macro: ImplItemMacro,
        visit_impl_item_type: ImplItemType,
        visit_local: Local,
        visit_stmt_macro: StmtMacro,
        visit_trait_item_const: TraitItemConst,
        visit_trait_item_type: TraitItemType,
        visit_variant: Variant,
    }

    functions! {
        visit_item_fn: ItemFn,
        visit_impl_item_fn: ImplItemFn,
        visit_trait_item_fn: TraitItemFn,
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_reexport(item) {
            for import in imports(item) {
                self.see(&import.path);
            }
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let around = self.module;
        self.module = self.names.open_block(around);
        for statement in &block.stmts {
            match statement {
                Stmt::Item(item) if !is_for_tests(attributes(item)) => {
                    define(&mut self.names, self.module, item);
                }
                _ => {}
            }
        }
        visit::visit_block(self, block);
        self.names.close_block();
        self.module = around;
    }

    fn visit_path(&mut self, path: &'ast Path) {
        self.see(&segments(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.see_macro(&segments(&call.path));
        // Every token tree can be read; there is nothing to say if not.
        _ = call.parse_body_with(|input: ParseStream<'_>| self.see_tokens(input));
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = plain(&pattern.ident);
        if is_capital(&name) {
            self.see(&[name]);
        }
        visit::visit_pat_ident(self, pattern);
    }

    /// Modules in functions are left out; the others are parts of their own.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// The names of variables.
#[derive(Default)]
struct Variables(BTreeSet<String>);

impl<'ast> Visit<'ast> for Variables {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.extend(Some(plain(&pattern.ident)).filter(|name| !is_capital(name)));
        visit::visit_pat_ident(self, pattern);
    }
}
