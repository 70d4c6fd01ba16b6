//! The `embed!` macro of the `whimbrel` crate. Looks at files when a program is compiled, never when it runs.

mod folder;
mod literal;

use proc_macro::{Literal, TokenStream, TokenTree};

/// Embeds the migrations of a folder: `embed!("migrations")` is a `whimbrel::source::Embedded`.
///
/// The path is relative to the folder of the crate's `Cargo.toml`. Files that end in `.sql`, `.wasm`, `.toml`, `.conf`,
/// `.sum`, `.js`, `.mjs`, `.ts`, `.mts` or `.py` are put into the program byte for byte, with those in the folders of
/// the folder; other files are left out. The result can stand in a constant:
///
/// ```ignore
/// use whimbrel::source::Embedded;
///
/// const MIGRATIONS: Embedded = whimbrel::embed!("migrations");
/// ```
///
/// Cargo compiles again when an embedded file changes, but does not notice a **new** file by itself. A `build.rs`
/// makes it look:
///
/// ```ignore
/// fn main() {
///     println!("cargo:rerun-if-changed=migrations");
/// }
/// ```
#[proc_macro]
pub fn embed(input: TokenStream) -> TokenStream {
    match expand(input) {
        Ok(code) => code,
        Err(message) => {
            let message = Literal::string(&message);
            code(&format!("::core::compile_error!({message})"))
        }
    }
}

fn expand(input: TokenStream) -> Result<TokenStream, String> {
    let path = argument(input)?;
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(|_| "embed! needs Cargo, which sets CARGO_MANIFEST_DIR")?;
    let mut files = String::new();
    for (name, file) in folder::list(&root, &path)? {
        let (name, file) = (Literal::string(&name), Literal::string(&file));
        files.push_str(&format!("({name}, ::core::include_bytes!({file}) as &[u8]),"));
    }
    let path = Literal::string(&path);
    Ok(code(&format!("::whimbrel::source::Embedded::new({path}, &[{files}])")))
}

/// Returns the one string literal the macro takes; a trailing comma is welcome.
fn argument(input: TokenStream) -> Result<String, String> {
    let usage = || "embed! takes the path of a folder: embed!(\"migrations\")".to_owned();
    let mut tokens: Vec<TokenTree> = input.into_iter().collect();
    if matches!(tokens.last(), Some(TokenTree::Punct(comma)) if comma.as_char() == ',') {
        tokens.pop();
    }
    match tokens.as_slice() {
        [TokenTree::Literal(path)] => literal::text(&path.to_string()).ok_or_else(usage),
        // A literal that another macro passed on comes wrapped in an invisible group.
        [TokenTree::Group(group)] => argument(group.stream()),
        _ => Err(usage()),
    }
}

fn code(text: &str) -> TokenStream {
    text.parse().expect("made of literals and fixed words")
}
