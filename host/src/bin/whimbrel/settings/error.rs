//! What is wrong with the settings.

/// A place in a file of settings.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: String,
    /// The line and the column, from 1.
    pub(crate) position: Option<(u32, u32)>,
}

/// What is wrong with the settings. Never holds a credential.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SettingsError {
    /// One word for programs.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Where it stands, if it is in a file.
    pub(crate) place: Option<Place>,
}

impl SettingsError {
    /// Makes an error that is in no file.
    pub(crate) fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: Some(hint.into()), place: None }
    }
}
