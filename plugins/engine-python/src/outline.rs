//! Reads a script without running it: its syntax, what it imports, and the functions at its top.

use monty::MontyRun;
use monty_types::CompileOptions;
use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::{ParameterWithDefault, Parameters, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextSize};

use crate::VERIFY;
use crate::bindings::whimbrel::migration::scripts::Frame;
use crate::bindings::{Script, ScriptFailure};
use crate::failure::{self, explain, failure, hinted};

/// What can be imported: all that the interpreter has, except for what asks a system.
pub(crate) const MODULES: &[&str] = &[
    "base64",
    "binascii",
    "bisect",
    "collections",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "random",
    "re",
    "sys",
    "time",
    "tomllib",
    "typing",
    "unicodedata",
];

/// A script that can be compiled.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    functions: Vec<Function>,
}

/// A function at the top of a script.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    context: Place,
    is_async: bool,
    /// Where it is.
    pub(crate) frame: Frame,
}

/// Where a function takes the context.
#[derive(Clone, Copy)]
enum Place {
    Nowhere,
    Second,
    /// As the parameter `ctx`.
    Named,
}

impl Source {
    /// Reads a script.
    pub(crate) fn read(script: Script) -> Result<Self, ScriptFailure> {
        let Some(file) = script.files.into_iter().next() else {
            return Err(failure("import", "there is no script".to_owned(), Vec::new()));
        };
        let (path, text) = (file.path, file.text);
        // Compiled first: the interpreter refuses what is nested too deeply for any parser.
        if let Err(error) = MontyRun::new(text.clone(), &path, Vec::new(), CompileOptions::default()) {
            return Err(explain(&error, &path, &path));
        }
        let parsed = ruff_python_parser::parse_module(&text)
            .map_err(|error| failure("syntax", format!("SyntaxError: {}", error.error), Vec::new()))?;
        let mut imports = Imports::default();
        imports.visit_body(parsed.suite());
        let place = |function: &str, offset| place(&path, &text, function, offset);
        if let Some((name, offset)) = imports.refused.into_iter().next() {
            let message = format!("ModuleNotFoundError: {}", absent(&name));
            return Err(hinted(failure("import", message, vec![place("", offset)]), failure::modules()));
        }
        let functions = parsed.suite().iter().filter_map(|statement| match statement {
            Stmt::FunctionDef(function) => Some(Function::read(function, place(&function.name, function.name.start()))),
            _ => None,
        });
        let functions = functions.collect();
        Ok(Self { path, text, functions })
    }

    /// Names the functions that a host may call.
    pub(crate) fn exports(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for function in self.functions.iter().filter(|function| !function.name.starts_with('_')) {
            if !names.contains(&function.name) {
                names.push(function.name.clone());
            }
        }
        names
    }

    /// Tells whether the functions that a host may call are such that it can.
    pub(crate) fn check_functions(&self) -> Result<(), ScriptFailure> {
        let callable = |name: &&str| self.functions.iter().any(|function| function.name == **name);
        ["up", "down", "transform", "revert", VERIFY]
            .iter()
            .filter(|name| callable(name))
            .try_for_each(|name| self.function(name).map(drop))
    }

    /// Finds a function that a host wants to call.
    pub(crate) fn function(&self, name: &str) -> Result<Function, ScriptFailure> {
        let Some(function) = self.functions.iter().rev().find(|function| function.name == name) else {
            let message = format!("the function {name} is not there: write `def {name}(…):` at the top of the file");
            return Err(failure("missing-export", message, Vec::new()));
        };
        if function.is_async {
            let message = format!("{name} is async: write `def {name}(…):`, a migration has nothing to wait for");
            return Err(failure("unsupported", message, vec![function.frame.clone()]));
        }
        Ok(function.clone())
    }
}

impl Function {
    fn read(function: &StmtFunctionDef, frame: Frame) -> Self {
        let context = Place::read(&function.parameters);
        Self { name: function.name.to_string(), context, is_async: function.is_async, frame }
    }

    /// Says of a failure in a call that it was in this function, where the interpreter does not know better.
    pub(crate) fn place(&self, mut failure: ScriptFailure) -> ScriptFailure {
        if failure.frames.is_empty() {
            failure.frames.push(self.frame.clone());
        }
        failure
    }

    /// Writes what the function is called with: the first value, and the context if it takes it.
    pub(crate) fn arguments(&self, first: &str) -> String {
        match self.context {
            Place::Nowhere => first.to_owned(),
            Place::Second => format!("{first}, _whimbrel[1]"),
            Place::Named => format!("{first}, ctx=_whimbrel[1]"),
        }
    }
}

impl Place {
    /// Reads the parameters of a function. One that has a default is the script's own, unless it is called `ctx`.
    fn read(parameters: &Parameters) -> Self {
        let is_context = |parameter: &ParameterWithDefault| parameter.name().as_str() == "ctx";
        match parameters.posonlyargs.iter().chain(&parameters.args).nth(1) {
            Some(second) if second.default.is_none() || is_context(second) => return Self::Second,
            None if parameters.vararg.is_some() => return Self::Second,
            _ => {}
        }
        let first = usize::from(parameters.posonlyargs.is_empty());
        let named = parameters.args.iter().skip(first).chain(&parameters.kwonlyargs).any(is_context);
        if named { Self::Named } else { Self::Nowhere }
    }
}

/// The modules that a script asks for and cannot have.
#[derive(Default)]
struct Imports {
    refused: Vec<(String, TextSize)>,
}

impl StatementVisitor<'_> for Imports {
    fn visit_stmt(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.look(alias.name.as_str(), alias.name.start());
                }
            }
            Stmt::ImportFrom(import) => match &import.module {
                Some(module) if import.level == 0 => self.look(module.as_str(), module.start()),
                Some(module) => self.refused.push((format!(".{module}"), module.start())),
                None => self.refused.push((".".to_owned(), import.range().start())),
            },
            statement => walk_stmt(self, statement),
        }
    }
}

impl Imports {
    fn look(&mut self, name: &str, offset: TextSize) {
        let top = name.split('.').next().unwrap_or_default();
        if !matches!(top, "__future__" | "whimbrel") && !MODULES.contains(&top) {
            self.refused.push((name.to_owned(), offset));
        }
    }
}

/// Says why a module cannot be had.
pub(crate) fn absent(name: &str) -> String {
    let top = name.split('.').next().unwrap_or_default();
    let why = match top {
        "" => "it is another file, and a script is one file alone",
        "os" | "pathlib" | "io" | "shutil" | "tempfile" | "glob" => "a migration has no files and no environment",
        "subprocess" | "threading" | "multiprocessing" | "asyncio" | "concurrent" | "signal" => {
            "a migration has nothing to start and nothing to wait for"
        }
        "socket" | "http" | "urllib" | "requests" | "ssl" => "a migration has no network",
        "sqlite3" => "the database is db: def up(db): …",
        "logging" => "there are log.info(…) and print(…)",
        _ => "it is not in the subset of Python that the engine runs",
    };
    format!("No module named '{name}': {why}")
}

/// Finds the line and the column of a byte.
fn place(path: &str, text: &str, function: &str, offset: TextSize) -> Frame {
    let before = text.get(..offset.to_usize()).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Frame {
        function: function.to_owned(),
        file: path.to_owned(),
        line: u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX),
        column: u32::try_from(line.chars().count() + 1).unwrap_or(u32::MAX),
    }
}
