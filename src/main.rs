//! The command `cuiban`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cuiban::cli::main()
}
