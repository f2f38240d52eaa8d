//! Wrong repositories, one mistake each, and the whole of what a person is told about it.

mod expressions;
mod files;
mod keys;
mod modules;
mod resources;
mod secrets;
mod yaml;

/// Compares what is said with the snapshot of that name.
macro_rules! shown {
    ($name:expr, $said:expr) => {
        let settings = || {
            let mut settings = insta::Settings::clone_current();
            settings.set_omit_expression(true);
            settings.set_prepend_module_to_snapshot(false);
            settings.set_snapshot_path(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/check/snapshots"
            ));
            settings
        };
        settings().bind(|| insta::assert_snapshot!($name, $said));
    };
}
use shown;

/// One snapshot per wrong repository.
macro_rules! wrong {
    ($($name:ident: [$($path:literal: $text:expr),* $(,)?];)*) => {
        $(#[test]
        fn $name() {
            let snapshot = crate::world::repository(&[$(($path, &$text[..])),*]);
            crate::wrong::shown!(stringify!($name), crate::world::said(&snapshot));
        })*
    };
}
use wrong;
