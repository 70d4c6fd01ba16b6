//! The transform.

use whimbrel_guest::{Result, RowIn, RowOut, Transform};

use super::Behaviour;

impl Transform for Behaviour {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let name: &str = row.get("full_name")?;
        let is_left_out = row.context().param("but") == Some(name);
        out.set("first_name", (!is_left_out).then_some("named"))
    }
}

whimbrel_guest::export_transform!(Behaviour);
whimbrel_guest::export_verify!(Behaviour);
