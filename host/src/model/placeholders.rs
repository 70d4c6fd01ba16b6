//! The values that stand for names in the scripts of a chain. Reads neither files nor the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Body, Filled, Migration, MissingValue, NoValue, Role, Script, Substitution, Version};
use crate::sql::{self, Directives, Otherwise, Precondition, Slot};

/// The values that stand for names such as `${tenant}` in the scripts of a chain. Values may be secrets: none is shown.
#[derive(Clone)]
pub struct Placeholders {
    values: BTreeMap<String, Value>,
    replacement: Option<bool>,
    prefix: String,
    suffix: String,
    environment: Option<Variables>,
    environment_name: Option<String>,
}

/// Looks up a variable of the environment.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

#[derive(Clone)]
enum Value {
    Text(String),
    /// This variable of the environment is not set.
    Unset(String),
}

/// What is the same for all scripts of a chain in one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// Name of the chain.
    pub(crate) chain: &'a str,
    /// Name of the history table.
    pub(crate) table: &'a str,
    /// When the scripts were read.
    pub(crate) read_at: Timestamp,
    /// It is the operator's own, and may know these things.
    pub(crate) trusted: bool,
}

/// The words before the names that have a value of themselves. Flyway's are known, so that its files run.
const BUILT_IN: [&str; 2] = ["whimbrel:", "flyway:"];

impl Default for Placeholders {
    fn default() -> Self {
        Self {
            values: BTreeMap::new(),
            replacement: None,
            prefix: Self::PREFIX.to_owned(),
            suffix: "}".to_owned(),
            environment: None,
            environment_name: None,
        }
    }
}

impl Placeholders {
    /// What stands before a name unless something else is set.
    pub(crate) const PREFIX: &'static str = "${";

    /// Starts with no value; names stand between `${` and `}`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; its name is made of letters, digits and `_ - . :`, and upper and lower case are the same.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_ascii_lowercase(), Value::Text(value.into()));
        self
    }

    /// Says that a value would come from a variable of the environment that is not set.
    #[must_use]
    pub fn unset(mut self, name: &str, variable: impl Into<String>) -> Self {
        self.values.insert(name.to_ascii_lowercase(), Value::Unset(variable.into()));
        self
    }

    /// Turns replacement on or off; else it is on when there is a value, and in the layout of Flyway.
    #[must_use]
    pub fn replacement(mut self, on: bool) -> Self {
        self.replacement = Some(on);
        self
    }

    /// Sets what names stand between.
    #[must_use]
    pub fn marks(mut self, prefix: impl Into<String>, suffix: impl Into<String>) -> Self {
        (self.prefix, self.suffix) = (prefix.into(), suffix.into());
        self
    }

    /// Returns what stands before a name.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Gives the environment to scripts that ask for it, as `-- +goose ENVSUB ON` does.
    #[must_use]
    pub fn environment(mut self, variables: Variables) -> Self {
        self.environment = Some(variables);
        self
    }

    /// Says what the environment is called: `${whimbrel:environment}`.
    #[must_use]
    pub fn environment_name(mut self, name: impl Into<String>) -> Self {
        self.environment_name = Some(name.into());
        self
    }

    /// Puts values into the scripts and preconditions of a migration, where names stand for them.
    pub(crate) fn fill(&self, migration: &mut Migration, surroundings: &Surroundings<'_>) {
        let version = (migration.role() != Role::Repeatable).then_some(migration.version);
        let (up, down) = match &mut migration.body {
            Body::Sql { up, down } => (Some(up), down.as_deref_mut()),
            Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => (None, None),
        };
        for script in [up, down, migration.verify.as_deref_mut()].into_iter().flatten() {
            script.filled = self.filled(script, version, surroundings).map(Arc::new);
        }
        migration.asked = self.asked(migration, version, surroundings);
    }

    /// Returns the queries of the preconditions with their values; they are treated as the script they belong to is.
    fn asked(&self, migration: &Migration, version: Option<Version>, surroundings: &Surroundings<'_>) -> Vec<Script> {
        let (said, layout) = match &migration.body {
            Body::Sql { up, .. } => (up.directives.placeholders, up.substitution.clone()),
            Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => Default::default(),
        };
        let manifest = migration.manifest.as_deref();
        let of_manifest = manifest.map_or(0, |manifest| manifest.preconditions.len());
        let asked = |(index, precondition): (usize, &Precondition)| {
            let file = manifest.filter(|_| index < of_manifest).map_or(&migration.file, |manifest| &manifest.file);
            let directives = Directives { placeholders: said, ..Directives::default() };
            let mut query = Script::new(file.clone(), precondition.sql.clone().into(), directives);
            // Lines that ask for variables of the environment are those of the script.
            query.substitution = Substitution { environment: Vec::new(), ..layout.clone() };
            query.filled = self.filled(&query, version, surroundings).map(Arc::new);
            query
        };
        migration.preconditions().enumerate().map(asked).collect()
    }

    /// Returns the script with its values; `None` when it has no names.
    fn filled(&self, script: &Script, version: Option<Version>, surroundings: &Surroundings<'_>) -> Option<Filled> {
        let mut slots = sql::variables(&script.text, &script.substitution.environment);
        let variables = slots.len();
        if self.is_on(script) {
            let named = sql::slots(&script.text, &self.prefix, &self.suffix);
            // Variables stand in order, so only the first that ends behind its beginning can overlap with it.
            let free = |slot: &Slot<'_>| {
                let next = slots.partition_point(|other| other.range.end <= slot.range.start);
                slots.get(next).is_none_or(|other| slot.range.end <= other.range.start)
            };
            let named: Vec<Slot<'_>> = named.into_iter().filter(free).collect();
            slots.extend(named);
        }
        if slots.is_empty() {
            return None;
        }
        let mut slots: Vec<(bool, Slot<'_>)> =
            slots.into_iter().enumerate().map(|(index, slot)| (index < variables, slot)).collect();
        slots.sort_by_key(|(_, slot)| slot.range.start);
        let mut filled = Filled::default();
        let mut end = 0;
        for (is_variable, slot) in slots {
            if !is_variable && asks_for(slot.name, "timestamp") && surroundings.trusted {
                filled.moment = Some(moment(surroundings.read_at));
            }
            if slot.in_comment {
                continue;
            }
            let value = match is_variable {
                true => self.variable(&slot, surroundings),
                false => self.value(slot.name, script, version, surroundings),
            };
            filled.keep(&script.text[end..slot.range.start]);
            end = slot.range.end;
            match value {
                Ok(value) => filled.put(&value, slot.range),
                Err(reason) => {
                    let (range, name) = (slot.range.clone(), slot.name.to_owned());
                    filled.missing.push(MissingValue { range, name, reason });
                    filled.keep(&script.text[slot.range]);
                }
            }
        }
        filled.keep(&script.text[end..]);
        Some(filled)
    }

    /// Tells whether names in a script are replaced: as it says, else as is said for its chain, else as its layout has
    /// it, else when there is a value.
    fn is_on(&self, script: &Script) -> bool {
        let said = script.directives.placeholders.or(script.substitution.wanted).or(self.replacement);
        said.unwrap_or(script.substitution.usual || !self.values.is_empty())
    }

    fn value(
        &self,
        name: &str,
        script: &Script,
        version: Option<Version>,
        surroundings: &Surroundings<'_>,
    ) -> Result<String, NoValue> {
        match self.values.get(&name.to_ascii_lowercase()) {
            Some(Value::Text(value)) => return Ok(value.clone()),
            Some(Value::Unset(variable)) => return Err(NoValue::Variable { variable: variable.clone() }),
            None => {}
        }
        let Surroundings { chain, table, read_at, trusted } = surroundings;
        let file = || script.file.rsplit(['/', '\\']).next().unwrap_or(&script.file).to_owned();
        let found = [
            ("filename", Some(file())),
            ("chain", Some((*chain).to_owned())),
            ("version", version.map(|version| version.to_string())),
            ("table", trusted.then(|| (*table).to_owned())),
            ("timestamp", trusted.then(|| moment(*read_at))),
            ("environment", self.environment_name.clone().filter(|_| *trusted)),
            // SQLite has one schema and no users.
            ("defaultschema", Some("main".to_owned())),
            ("user", Some(String::new())),
        ];
        let built_in = found.into_iter().find(|(known, _)| asks_for(name, known));
        built_in.and_then(|(_, value)| value).ok_or(if *trusted { NoValue::NotSet } else { NoValue::NotForThisChain })
    }

    fn variable(&self, slot: &Slot<'_>, surroundings: &Surroundings<'_>) -> Result<String, NoValue> {
        if slot.otherwise == Otherwise::Unread {
            return Err(NoValue::Form);
        }
        if slot.name.is_empty() {
            return match slot.otherwise {
                Otherwise::Default { text, .. } => Ok(text.to_owned()),
                Otherwise::Refuse | Otherwise::RefuseWith(_) | Otherwise::Unread => Err(NoValue::NotSet),
            };
        }
        let Some(environment) = self.environment.as_ref().filter(|_| surroundings.trusted) else {
            return Err(NoValue::Environment);
        };
        let value = environment(slot.name);
        match (value, slot.otherwise) {
            (Some(value), Otherwise::Default { text, also_for_empty: true }) if value.is_empty() => Ok(text.to_owned()),
            (Some(value), _) => Ok(value),
            (None, Otherwise::Default { text, .. }) => Ok(text.to_owned()),
            (None, Otherwise::RefuseWith(words)) if !words.is_empty() => {
                Err(NoValue::Told { message: words.to_owned() })
            }
            (None, Otherwise::Refuse | Otherwise::RefuseWith(_) | Otherwise::Unread) => {
                Err(NoValue::Variable { variable: slot.name.to_owned() })
            }
        }
    }
}

/// Tells whether a name is this one of those that have a value of themselves.
fn asks_for(name: &str, known: &str) -> bool {
    let name = name.to_ascii_lowercase();
    BUILT_IN.iter().any(|word| name.strip_prefix(word) == Some(known))
}

/// Writes a moment as Flyway does, in UTC.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

impl fmt::Debug for Placeholders {
    /// Leaves the values out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.values.keys().collect();
        formatter.debug_struct("Placeholders").field("names", &names).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Placement, Version};
    use crate::sql::directives;

    const OWN: Surroundings<'static> =
        Surroundings { chain: "main", table: "h", read_at: Timestamp::UNIX_EPOCH, trusted: true };

    fn fill(
        text: &str,
        substitution: Substitution,
        placeholders: &Placeholders,
        surroundings: &Surroundings<'_>,
    ) -> String {
        let directives = directives(text).expect("directives");
        let script = Script { substitution, ..Script::new("m/V3__x.sql", text.to_owned().into(), directives) };
        let mut migration = Migration {
            version: Version::from(3),
            name: "x".into(),
            placement: Placement::default(),
            body: Body::Sql { up: script, down: None },
            verify: None,
            asked: Vec::new(),
            manifest: None,
            file: "m/V3__x.sql".into(),
        };
        placeholders.fill(&mut migration, surroundings);
        let Body::Sql { up, .. } = &migration.body else { unreachable!("it is SQL") };
        let missing = up.missing().iter().map(|missing| format!(" !{} {:?}", missing.name, missing.reason));
        format!("{}{}", up.runs(), missing.collect::<String>())
    }

    fn plain(text: &str, placeholders: &Placeholders) -> String {
        fill(text, Substitution::default(), placeholders, &OWN)
    }

    #[test]
    fn replaces_names_only_where_somebody_wants_it() {
        let none = Placeholders::new();
        let some = Placeholders::new().set("Name", "x");
        let off = "-- whimbrel: placeholders = off\n${name}";
        let on = "-- whimbrel: placeholders = on\n${name}";
        assert_eq!(plain("SELECT '${name}';", &none), "SELECT '${name}';");
        assert_eq!(plain("SELECT '${name}'; -- ${other}", &some), "SELECT 'x'; -- ${other}");
        assert_eq!(plain("SELECT '${NAME}';", &some), "SELECT 'x';");
        assert_eq!(plain(off, &some), off);
        assert!(plain(on, &none).ends_with("!name NotSet"));
        assert_eq!(plain("${name}", &some.clone().replacement(false)), "${name}");
        assert_eq!(plain(on, &some.clone().replacement(false)), "-- whimbrel: placeholders = on\nx");
        assert_eq!(plain("#[name] ${name}", &some.clone().marks("#[", "]")), "x ${name}");
        let flyway = Substitution { usual: true, ..Substitution::default() };
        assert!(fill("${name}", flyway.clone(), &none, &OWN).ends_with("!name NotSet"));
        let off = Substitution { wanted: Some(false), ..flyway };
        assert_eq!(fill("${name}", off, &some, &OWN), "${name}");
    }

    #[test]
    fn knows_what_flyway_knows() {
        let some = Placeholders::new().set("a", "${b}").set("b", "x").environment_name("prod");
        assert_eq!(plain("${a}", &some), "${b}", "a value is not looked into");
        let text = "${flyway:filename} ${whimbrel:version} ${flyway:defaultSchema} ${flyway:table} ${flyway:timestamp} \
                    ${whimbrel:environment} ${whimbrel:chain}";
        assert_eq!(plain(text, &some), "V3__x.sql 3 main h 1970-01-01 00:00:00 prod main");
        assert!(plain("${flyway:database}", &some).ends_with("NotSet"));
        let stranger = Surroundings { trusted: false, ..OWN };
        let shown = fill("${whimbrel:table} ${a} ${whimbrel:chain}", Substitution::default(), &some, &stranger);
        assert_eq!(shown, "${whimbrel:table} ${b} main !whimbrel:table NotForThisChain");
    }

    #[test]
    fn gives_the_environment_to_lines_that_ask_for_it() {
        let asks = Substitution { environment: vec![1..2, 4..9], ..Substitution::default() };
        let variables: Variables = Arc::new(|name| match name {
            "A" => Some("a".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        });
        let given = Placeholders::new().environment(variables);
        let text = "$A\n$A ${E:-e} ${E-e} ${N-n} $$ ${N?why} $N\n$A";
        let shown = fill(text, asks.clone(), &given, &OWN);
        assert!(shown.starts_with("$A\na e  n $ ${N?why} $N\n$A !N Told"), "{shown}");
        assert!(shown.ends_with("!N Variable { variable: \"N\" }"), "{shown}");
        let stranger = Surroundings { trusted: false, ..OWN };
        assert!(fill("\n$A", asks.clone(), &given, &stranger).ends_with("!A Environment"));
        assert!(fill("\n$A", asks, &Placeholders::new(), &OWN).ends_with("!A Environment"));
    }
}
