//! The `embed!` macro of the `whimbrel` crate. Looks at files when a program is compiled, never when it runs.

mod arguments;
mod folder;
mod literal;

use proc_macro::{Literal, TokenStream};

use arguments::Arguments;

/// What `whimbrel::embed!` is made of, and described there: the path of that crate in parentheses, and what it is given.
#[proc_macro]
pub fn embed_by(input: TokenStream) -> TokenStream {
    match expand(input) {
        Ok(code) => code,
        Err(message) => {
            let message = Literal::string(&message);
            code(&format!("::core::compile_error!({message})"))
        }
    }
}

fn expand(input: TokenStream) -> Result<TokenStream, String> {
    let Arguments { host, path, scripts } = Arguments::read(input)?;
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(|_| "embed! needs Cargo, which sets CARGO_MANIFEST_DIR")?;
    let mut files = String::new();
    for (name, file) in folder::list(&root, &path, scripts.as_deref())? {
        let (name, file) = (Literal::string(&name), Literal::string(&file));
        files.push_str(&format!("({name}, ::core::include_bytes!({file}) as &[u8]),"));
    }
    let path = Literal::string(&path);
    let mut source = host;
    source.extend(code(&format!("::source::Embedded::new({path}, &[{files}])")));
    if let Some(scripts) = scripts {
        let endings: Vec<String> = scripts.iter().map(|ending| Literal::string(ending).to_string()).collect();
        source.extend(code(&format!(".scripts(&[{}])", endings.join(", "))));
    }
    Ok(source)
}

fn code(text: &str) -> TokenStream {
    text.parse().expect("made of literals and fixed words")
}
