//! Decides, before anything has changed, what each step's statements are held to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::prepare::{PrepareError, PreparedStep, all_of};
use super::report::StepError;
use super::run::Conditions;
use crate::db::{Ambient, DbError, Session};
use crate::grants::{FunctionGrant, Grant, Grants, Restriction, Verb};
use crate::history::{DEFAULT_TABLE, History};
use crate::limits::{Limit, LimitReached, RunLimits};
use crate::model::{Body, Key, Manifest, Policies, Policy, TransactionMode, Trust};
use crate::plan::{Plan, Step};

const HIDE: &str = "hide the clock from the migration";
/// Where a longer time would not fit the clock.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a step's statements are held to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Hold {
    /// Nothing: it is the operator's own SQL, or a part of the program.
    Free,
    /// The rules for guests, and these grants if there are any in particular. The triggers of a chain that is not trusted have names
    /// in its namespace.
    To { grants: Option<Box<Grants>>, namespace: Option<Box<str>> },
    /// The rules for guests where the host writes for the code, whose own handle, in `verify`, has these grants if there are
    /// any in particular.
    Through(Option<Box<Grants>>),
    /// Everything may be read, the host's own tables too, and nothing changed.
    #[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "only code can be run that is no migration"))]
    Looking,
}

impl Hold {
    /// Returns the functions that are granted by name.
    fn functions(&self) -> &[String] {
        match self {
            Self::To { grants: Some(grants), .. } | Self::Through(Some(grants)) => &grants.functions,
            Self::Free | Self::To { grants: None, .. } | Self::Through(None) | Self::Looking => &[],
        }
    }

    /// Returns the rules for a session; `None` when there are none.
    pub(super) fn restriction(&self, history: &History) -> Option<Restriction> {
        let guest = |grants| Restriction { protected: history.tables(), grants, read_only: false, namespace: None };
        match self {
            Self::Free => None,
            Self::To { grants, namespace } => {
                let namespace = namespace.as_deref().map(str::to_owned);
                Some(Restriction { namespace, ..guest(grants.as_deref().cloned()) })
            }
            Self::Through(_) => Some(guest(None)),
            Self::Looking => Some(Restriction { read_only: true, ..Restriction::default() }),
        }
    }

    /// Returns the rules for statements beside the step's own, which may read what it may read, and change nothing.
    pub(super) fn reading(&self, history: &History) -> Restriction {
        Restriction { read_only: true, ..self.restriction(history).unwrap_or_default() }
    }

    /// Returns the rules for the handle with which a step's own code only reads.
    #[cfg(feature = "wasm")]
    pub(super) fn reading_itself(&self, history: &History) -> Restriction {
        let rules = self.reading(history);
        match self {
            Self::Through(grants) => Restriction { grants: grants.as_deref().cloned(), ..rules },
            Self::Free | Self::To { .. } | Self::Looking => rules,
        }
    }
}

/// A migration that asks for more than it is given.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AskedTooMuch {
    /// Name of its chain.
    pub chain: String,
    /// Version and name, with the chain where there are several.
    pub migration: String,
    /// Its version, or its name where it is repeatable.
    pub key: Key,
    /// Its manifest.
    pub file: String,
    /// What it asks for beyond what it is given.
    pub refused: Vec<Grant>,
    /// What of that no policy can give it.
    pub never: Vec<Grant>,
    /// What of that is the host's own to change, so that nobody is given it.
    pub hosts_own: Vec<Grant>,
}

/// Tells whether a grant would change the schema behind the database's back, or is on a table in which the host keeps what it
/// knows, by the names they usually have.
fn is_hosts_own(grant: &Grant) -> bool {
    let Grant::On(verb, object) = grant else { return false };
    let is = |table: &str| table.eq_ignore_ascii_case(&object.table);
    let kept = History::new(DEFAULT_TABLE).map(|history| history.tables()).unwrap_or_default();
    kept.iter().any(|table| is(table)) || *verb != Verb::Read && ["sqlite_schema", "sqlite_master"].into_iter().any(is)
}

/// Decides for each step of a plan what it is held to and how much it may use; everything that is refused to any of them is in
/// the error.
pub(super) fn hold(plan: &Plan, policies: &Policies) -> Result<Vec<(Hold, RunLimits)>, PrepareError> {
    let (mut refused, mut wrong, mut holds) = (Vec::new(), Vec::new(), Vec::new());
    for step in &plan.steps {
        let policy = policies.of(&step.chain);
        let hold = match one(step, policy) {
            Ok(Ok(hold)) => Some(hold),
            Ok(Err(grants)) => {
                refused.push(too_much(step, policy, grants));
                None
            }
            Err(error) => {
                wrong.push(error);
                None
            }
        };
        match (hold, limits(step, policies)) {
            (Some(hold), Ok(limits)) => holds.push((hold, limits)),
            (None, Ok(_)) => {}
            (_, Err(error)) => wrong.push(error),
        }
    }
    match (refused.is_empty(), wrong.is_empty()) {
        (true, _) => all_of(wrong)?,
        (false, true) => return Err(PrepareError::NotGranted { refused }),
        (false, false) => {
            let each = refused.into_iter().map(|asked| PrepareError::NotGranted { refused: vec![asked] });
            all_of(each.chain(wrong).collect())?;
        }
    }
    Ok(holds)
}

/// Puts the limits of a step's manifest and of the policy together.
pub(super) fn limits(step: &Step, policies: &Policies) -> Result<RunLimits, PrepareError> {
    let manifest = step.migration.manifest.as_ref();
    let given = policies.of(&step.chain).limits_for(&step.migration.key());
    RunLimits::decide(manifest.map(|manifest| &manifest.limits), &given).map_err(|excesses| PrepareError::Limits {
        chain: step.chain.to_string(),
        migration: step.title(),
        key: step.migration.key(),
        file: manifest.map_or_else(String::new, |manifest| manifest.file.clone()),
        excesses,
    })
}

/// Decides for one step; the inner error is what it asks for beyond what it is given.
pub(super) fn one(step: &Step, policy: &Policy) -> Result<Result<Hold, Vec<Grant>>, PrepareError> {
    let migration = &step.migration;
    let asked = migration.manifest.as_ref().and_then(|manifest| manifest.grants.as_ref());
    let namespace = match &policy.trust {
        Trust::Untrusted { namespace } => Some(namespace.as_str().into()),
        Trust::Owner => None,
    };
    let effective = || {
        let grants = policy.effective(&migration.key(), asked)?.map(Box::new);
        Ok(Hold::To { grants, namespace })
    };
    Ok(match &migration.body {
        // The host writes for a transform, and what the owner's own triggers do then is no concern of the component.
        Body::Transform { .. } | Body::Script { spec: Some(_), .. } if !policy.is_untrusted() => {
            effective().map(|hold| match hold {
                Hold::To { grants, .. } => Hold::Through(grants),
                hold => hold,
            })
        }
        Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } => effective(),
        // An owner's scripts are held to grants only where their manifest wants it.
        Body::Sql { .. } if policy.is_untrusted() || asked.is_some() => {
            if step.script().is_some_and(|script| script.directives.transaction == TransactionMode::None) {
                let (migration, file) = (step.title(), migration.file.clone());
                return Err(PrepareError::HeldOutsideTransaction { migration, file });
            }
            if step.script().is_some_and(|script| script.directives.rebuild) {
                let (migration, file) = (step.title(), migration.file.clone());
                return Err(PrepareError::HeldRebuild { migration, file });
            }
            effective()
        }
        Body::Sql { .. } | Body::Rust(_) => Ok(Hold::Free),
    })
}

pub(super) fn too_much(step: &Step, policy: &Policy, refused: Vec<Grant>) -> AskedTooMuch {
    let migration = &step.migration;
    let file = |manifest: &Manifest| manifest.file.clone();
    let hosts_own: Vec<Grant> = refused.iter().filter(|grant| is_hosts_own(grant)).cloned().collect();
    let mut never = hosts_own.clone();
    never.extend(policy.never(&refused).into_iter().filter(|grant| !hosts_own.contains(grant)));
    AskedTooMuch {
        chain: step.chain.to_string(),
        migration: step.title(),
        key: migration.key(),
        file: migration.manifest.as_deref().map_or_else(|| migration.file.clone(), file),
        never,
        hosts_own,
        refused,
    }
}

impl AskedTooMuch {
    /// Writes the part of `whimbrel.toml` that would give it; `None` when there is nothing that can be given.
    pub fn policy(&self) -> Option<String> {
        let givable = self.refused.iter().filter(|grant| !self.never.contains(grant));
        let grants = Grants::collect(givable);
        (!grants.is_empty()).then(|| Policy::snippet(&self.chain, &self.key, &grants))
    }
}

/// Runs something under these rules, with the migration's limits in force where it is held to grants; a limit that was
/// reached is told beside what came out.
pub(super) fn held<T>(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    restriction: Restriction,
    run: impl FnOnce(&mut dyn Session) -> Result<T, StepError>,
) -> (Result<T, StepError>, Option<LimitReached>) {
    session.restrict(Some(Arc::new(restriction)));
    let bounded = match step.hold {
        Hold::Free => Ok(()),
        Hold::To { .. } | Hold::Through(_) | Hold::Looking => {
            bound(session, step, conditions, step.step.migration.checksum().seed(), &step.limits)
        }
    };
    let ran = bounded.and_then(|()| run(session));
    let reached = session.limit_reached();
    session.close_handles();
    session.restrict(None);
    let free = unbound(session);
    (ran.and_then(|ran| free.map(|_| ran)), reached)
}

/// As [`held`], under the rules for what only looks.
pub(super) fn looking<T>(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    look: impl FnOnce(&mut dyn Session) -> Result<T, StepError>,
) -> (Result<T, StepError>, Option<LimitReached>) {
    held(session, step, conditions, step.hold.reading(conditions.history), look)
}

/// Hides time and chance from what runs next, and, where it is held to grants, puts these limits in force.
/// A component's own call has limits of its own.
pub(super) fn bound(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    seed: u64,
    limits: &RunLimits,
) -> Result<(), StepError> {
    let started_at = u64::try_from(conditions.started_at.as_millisecond()).unwrap_or(0);
    session.set_ambient(Some(ambient(step, started_at, seed))).map_err(StepError::doing(HIDE))?;
    within_limits(session, step, limits).map_err(StepError::doing("put the limits in force"))
}

/// Puts a migration's limits in force where it is held to grants.
pub(super) fn within_limits(session: &mut dyn Session, step: &PreparedStep, limits: &RunLimits) -> Result<(), DbError> {
    if matches!(step.hold, Hold::To { grants: Some(_), .. }) {
        let time = Duration::from_millis(limits.of(Limit::Time)).min(YEAR);
        session.set_limits(Some(limits))?;
        session.set_deadline(Some(Instant::now() + time));
    }
    Ok(())
}

/// Ends what `bound` began; returns what is left of the limits, where there were any.
pub(super) fn unbound(session: &mut dyn Session) -> Result<Option<RunLimits>, StepError> {
    session.set_deadline(None);
    let limits = session.take_limits().map_err(StepError::doing("take the limits off again"));
    let ambient = session.set_ambient(None).map_err(StepError::doing("show the clock again"));
    limits.and_then(|limits| ambient.map(|()| limits))
}

/// What the statements of a step may know of time and chance: what it is granted.
pub(super) fn ambient(step: &PreparedStep, started_at: u64, seed: u64) -> Ambient {
    let functions = step.hold.functions().iter();
    Ambient { started_at, seed, granted: functions.filter_map(|name| FunctionGrant::parse(name)).collect() }
}

/// Keeps what the host looks up out of what a dry run shows, and of what the step is told to have used.
pub(super) fn quietly<T>(session: &mut dyn Session, look: impl FnOnce(&mut dyn Session) -> T) -> T {
    session.hold_recording(true);
    session.hold_counting(true);
    let found = look(session);
    session.hold_counting(false);
    session.hold_recording(false);
    found
}
