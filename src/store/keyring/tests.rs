//! The lock and the retries. `tests/cli/keyring.rs` has the real gnome-keyring.

use super::*;

#[test]
fn lock_is_waited_for_until_the_timeout() {
    let state = tempfile::tempdir().expect("a temporary directory");
    let guard = lock(state.path(), Duration::ZERO).expect("it is free");
    let error = lock(state.path(), Duration::from_millis(50)).expect_err("it is taken");
    assert!(error.to_string().starts_with("timed out after 1 s waiting for another oneup"), "{error}");
    drop(guard);
    // The waiter that gave up may still get the lock, and releases it.
    lock(state.path(), Duration::from_secs(5)).expect("it is free again");
}

#[test]
fn operation_is_retried_only_when_the_service_failed() {
    let attempts = std::cell::Cell::new(0);
    let fail = |times: u32, error: fn() -> KeyringError| {
        attempts.set(0);
        with_retries(|| {
            attempts.set(attempts.get() + 1);
            if attempts.get() > times { Ok(()) } else { Err(error()) }
        })
    };
    let failed = || KeyringError::failed("Method SearchItems is not implemented");
    assert_eq!((fail(0, failed), attempts.get()), (Ok(()), 1));
    assert_eq!((fail(2, failed), attempts.get()), (Ok(()), 3));
    assert_eq!((fail(9, failed), attempts.get()), (Err(failed()), MAX_ATTEMPTS));
    for error in [|| KeyringError::Locked, || KeyringError::PromptDismissed] {
        assert_eq!((fail(9, error), attempts.get()), (Err(error()), 1));
    }
}
