//! Puts together what the name of a file, its head and its manifest say about when a migration runs. Pure.

use super::problem::Problem;
use crate::model::{Body, Dependency, Manifest, Placement, Role, Unmet};

/// Returns when a migration runs; its role may be in its name or be said inside, but not in two ways.
pub(super) fn find(
    named: Role,
    file: &str,
    body: &Body,
    manifest: Option<&Manifest>,
    problems: &mut Vec<Problem>,
) -> Placement {
    let mut placement = manifest.map(|manifest| manifest.placement.clone()).unwrap_or_default();
    let mut roles = [named, placement.role, Role::Versioned, Role::Versioned];
    if let Body::Sql { up, .. } = body {
        let directives = &up.directives;
        placement.out_of_order |= directives.out_of_order;
        if directives.repeat {
            roles[2] = Role::Repeatable;
        }
        if directives.baseline {
            roles[3] = Role::Baseline;
        }
        for text in &directives.depends_on {
            match text.parse::<Dependency>() {
                Ok(dependency) => placement.depends_on.push(dependency),
                Err(error) => {
                    let hint = "write a version, or one of another chain as `chain:version`".to_owned();
                    problems.push(Problem::of_file(file, format!("`depends_on`: {error}"), Some(hint)));
                }
            }
        }
    }
    let script = match body {
        Body::Sql { up, .. } => up.directives.preconditions.as_slice(),
        Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => &[],
    };
    let manifest = manifest.map_or(&[][..], |manifest| &manifest.preconditions);
    // What is left out now and then is overtaken by others.
    placement.out_of_order |= manifest.iter().chain(script).any(|condition| condition.otherwise == Unmet::Skip);
    let mut said = roles.into_iter().filter(|role| *role != Role::Versioned);
    match said.next() {
        None => placement.role = Role::Versioned,
        Some(role) if said.all(|other| other == role) => placement.role = role,
        Some(_) => {
            let hint = "a baseline runs once, in a new database: leave one of the two out".to_owned();
            problems.push(Problem::of_file(file, "is a baseline and repeatable at once".to_owned(), Some(hint)));
        }
    }
    if placement.role == Role::Repeatable && matches!(body, Body::Transform { .. }) {
        let hint = Some("leave `repeat` out, or give it a version".to_owned());
        problems.push(Problem::of_file(file, "a transform cannot be repeated".to_owned(), hint));
    }
    placement
}
