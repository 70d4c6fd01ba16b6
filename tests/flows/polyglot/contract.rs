//! The contract is versioned: what was built for a released version goes on running, other versions are told apart.

use whimbrel::wasm::{self, InspectError};
use xtask::polyglot::Form;

use super::Chain;
use crate::flows::guests::workspace;

/// Every version of the contract that was released; for each there is a component that was built when it was.
const RELEASED: [&str; 1] = ["0.1.0"];

fn component(version: &str) -> Vec<u8> {
    let path = workspace().join(format!("tests/fixtures/contract/{version}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_component_of_every_released_version_runs() {
    for version in RELEASED {
        let bytes = component(version);
        let imports = wasm::inspect(&bytes).unwrap().imports;
        assert!(imports.iter().any(|import| import == &format!("whimbrel:migration/sql@{version}")), "{imports:?}");
        let chain = Chain::new(&bytes, Form::Rowwise, "");
        chain.up().unwrap_or_else(|error| panic!("{version}: {error:?}"));
        assert!(chain.rows()[7].contains("integer:39303037313939323534373430393933"), "{}", chain.rows()[7]);
        chain.migrator().down(whimbrel::plan::Until::Steps(1)).unwrap();
    }
}

#[test]
fn the_contract_in_the_repository_is_the_newest_release() {
    let wit = include_str!("../../../guest-sdk/wit/whimbrel.wit");
    let newest = RELEASED[RELEASED.len() - 1];
    assert!(wit.contains(&format!("package whimbrel:migration@{newest};")), "keep a component of the new version");
}

#[test]
fn a_real_component_for_an_older_or_newer_contract_is_told_apart() {
    for version in ["0.0.9", "0.2.0"] {
        let mut bytes = component("0.1.0");
        // The version stands in names, whose lengths stay the same.
        for at in 0..bytes.len() - 6 {
            if &bytes[at..at + 6] == b"@0.1.0" {
                bytes[at + 1..at + 6].copy_from_slice(version.as_bytes());
            }
        }
        match wasm::inspect(&bytes).unwrap().check().unwrap_err() {
            InspectError::OtherVersion { version: found, .. } => assert_eq!(found, version),
            other => panic!("{other:?}"),
        }
    }
}
