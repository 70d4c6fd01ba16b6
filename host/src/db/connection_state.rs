//! What a connection is, apart from the database that it is connected to.

/// How a connection is set, and what it has that is not in the database.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConnectionState {
    /// Names of settings with their values.
    pub settings: Vec<(&'static str, String)>,
    /// Temporary objects: what each is, and its name.
    pub temporary: Vec<(String, String)>,
    /// Other databases that are attached: the name of each, and its file if it has one.
    pub attached: Vec<(String, String)>,
}
