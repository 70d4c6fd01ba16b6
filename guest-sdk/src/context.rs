//! What a migration may know about the run it is part of.

/// What a migration may know about the run it is part of. There is no other clock and no other randomness.
#[derive(Clone, Debug, Default)]
pub struct Context {
    pub(crate) chain: String,
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) tenant: Option<String>,
    pub(crate) dry_run: bool,
    pub(crate) started_at: u64,
    pub(crate) seed: u64,
    pub(crate) params: Vec<(String, String)>,
}

impl Context {
    /// Returns the name of the chain.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// Returns the version without leading zeros; empty for a repeatable migration.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the name of the migration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the tenant, when one plan runs over many.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Tells whether everything will be rolled back.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Returns the recorded start of the run, in milliseconds since 1970-01-01 UTC.
    pub fn started_at(&self) -> u64 {
        self.started_at
    }

    /// Returns the seed for random choices, fixed by the component's bytes.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns what the manifest's `[params]` gave for this name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
