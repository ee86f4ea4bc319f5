//! Converts panics of sled, which occur on damage and failing disks, to errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use super::faults::broke_off;
use crate::store::Result;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it becomes [`crate::store::StoreError::Corrupt`], or the error of the system that
/// made sled panic.
pub(crate) fn catching_panics<R>(action: &'static str, work: impl FnOnce() -> Result<R>) -> Result<R> {
    let outer = CATCHING.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    done.unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(broke_off(action, text.unwrap_or("no reason given")))
    })
}

/// Stops panics that become errors of the store from being printed as panics too. For programs; called once, at
/// their start.
pub fn silence_caught_panics() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        if CATCHING.get() {
            tracing::debug!(%panic, "sled broke off");
        } else {
            before(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn a_panic_becomes_an_error_and_catching_nests() {
        let broken: Result<()> = catching_panics("try", || {
            let inner: Result<()> = catching_panics("try", || panic!("inner"));
            assert!(matches!(inner, Err(StoreError::Corrupt { .. })) && CATCHING.get());
            panic!("number {}", 7)
        });
        assert!(broken.is_err_and(|error| error.to_string().contains("number 7")));
        assert!(!CATCHING.get());
    }

    #[test]
    fn what_the_system_refuses_is_no_damage() {
        let broken = |code| -> Result<()> {
            catching_panics("try", || {
                panic!("called `Result::unwrap()`: Io({:?})", std::io::Error::from_raw_os_error(code));
            })
        };
        assert!(matches!(broken(28), Err(StoreError::Full)), "no room");
        assert!(matches!(broken(24), Err(StoreError::Backend { .. })), "too many open files");
    }
}
