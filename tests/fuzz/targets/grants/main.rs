//! Grants against SQLite itself: what a guest's statements change was granted, what they tell does not depend on what
//! was not granted, and the transaction stays the host's.
//!
//! Every case runs on two databases that differ in nothing but the columns that its grants do not let it read. So
//! whatever differs in what the two sessions answer, or in what they leave behind, was told to somebody who may not
//! know it.
#![no_main]

mod grammar;
mod input;
mod judge;
mod snapshot;
mod world;

use libfuzzer_sys::fuzz_target;

use input::Case;
use world::{Answer, World};

thread_local! {
    static WORLD: World = World::new();
}

fuzz_target!(|bytes: &[u8]| {
    let Some(case) = Case::read(bytes) else { return };
    WORLD.with(|world| {
        examine(world, &case);
        world.assert_sound(&case);
    });
});

fn examine(world: &World, case: &Case) {
    let mut plain = world.plain(case);
    let mut other = world.other(case);
    for step in &case.steps {
        let (left, right) = (plain.run(step), other.run(step));
        // Where a limit is met depends on how much there is to read.
        if left.is_limit() || right.is_limit() {
            return;
        }
        assert_eq!(left, right, "{step} tells what may not be read:\n{case}");
        // ON CONFLICT ROLLBACK ends it with an error; then the session refuses whatever follows.
        assert!(plain.is_in_transaction() || left.is_error(), "{step} ended the transaction:\n{case}");
        assert_eq!(plain.is_in_transaction(), other.is_in_transaction(), "{step}:\n{case}");
        if !plain.is_in_transaction() {
            assert!(plain.run(step).is_error(), "{step} ran outside any transaction:\n{case}");
            break;
        }
    }
    let (left, right) = (plain.go_on(), other.go_on());
    if left.iter().chain(&right).any(Answer::is_limit) {
        return;
    }
    assert_eq!(left, right, "what was left open tells what may not be read:\n{case}");
    let (left, right) = (plain.finish(), other.finish());
    let wrong = judge::changes(&world.before, &left, case);
    assert!(wrong.is_empty(), "{}\n{case}", wrong.join("\n"));
    let told = judge::differences(&world.before, &left, &right, case);
    assert!(told.is_empty(), "{}\n{case}", told.join("\n"));
}
