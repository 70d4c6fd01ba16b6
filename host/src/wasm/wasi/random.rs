//! `wasi:random`: numbers that the component's digest fixes.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::interface;
use crate::wasm::state::State;

type Store<'a> = StoreContextMut<'a, State>;

/// Most bytes of one call.
const MOST_BYTES: u64 = 16 << 20;

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    for (name, prefix) in [("random", "get-random"), ("insecure", "get-insecure-random")] {
        let mut random = linker.instance(&interface(&format!("random/{name}")))?;
        random.func_wrap(
            &format!("{prefix}-bytes"),
            |mut store: Store<'_>, (length,): (u64,)| match usize::try_from(length) {
                Ok(bytes) if length <= MOST_BYTES => {
                    store.data_mut().work_on(bytes)?;
                    Ok((store.data_mut().wasi.numbers.bytes(bytes),))
                }
                _ => Err(wasmtime::Error::msg(format!("the guest asked for {length} random bytes at once"))),
            },
        )?;
        random.func_wrap(&format!("{prefix}-u64"), |mut store: Store<'_>, (): ()| {
            Ok((store.data_mut().wasi.numbers.next_u64(),))
        })?;
    }
    let mut seed = linker.instance(&interface("random/insecure-seed"))?;
    let two = |mut store: Store<'_>, (): ()| {
        let numbers = &mut store.data_mut().wasi.numbers;
        Ok(((numbers.next_u64(), numbers.next_u64()),))
    };
    seed.func_wrap("insecure-seed", two)
}
