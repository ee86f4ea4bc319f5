//! The `feedmill` command.

use std::process::ExitCode;

/// The mill takes and gives back many small pieces, in sled's pages and while it renders; the allocator of the
/// system's library takes a fifth of its time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    feedmill::cli::main()
}
