//! The `pinkpaper` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    pinkpaper::cli::run()
}
