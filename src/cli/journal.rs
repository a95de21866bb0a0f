//! `journal dump`, `journal verify`.

use std::path::Path;

use clap::Subcommand;

use super::client::with_daemon_or;
use super::{owner, print};
use crate::app::answers::VerifyAnswer;
use crate::store;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 导出全部记录，每行一条 JSON
    Dump,
    /// 逐条校验记录，指出损坏之处
    Verify {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Dump => dump(config),
        Command::Verify { json } => verify(config, json),
    }
}

fn dump(config: Option<&Path>) -> anyhow::Result<()> {
    with_daemon_or(
        config,
        async |client| print(&client.get("/api/v1/journal").await?),
        |config| {
            let mut lines = Vec::new();
            let dumped = store::dump(&config.store.path, &mut lines);
            // What is good goes out, even where not all of it is.
            print(&lines)?;
            dumped?;
            Ok(())
        },
    )
}

fn verify(config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let answer: VerifyAnswer = with_daemon_or(
        config,
        async |client| client.get_json("/api/v1/journal/verify").await,
        |config| {
            // To look is to open the engine's files.
            if let Some(owner) = owner::other(config) {
                return Err(owner.instead());
            }
            let opener = crate::app::opener(&config.store.path)?;
            Ok(VerifyAnswer::of(&store::verify(&opener)?))
        },
    )?;
    if json {
        print(&serde_json::to_vec(&answer)?)?;
    } else {
        print(format!("{}\n", answer.text).as_bytes())?;
    }
    anyhow::ensure!(
        answer.sound,
        "记录校验没有通过，损坏之处见上。{}",
        answer.next
    );
    Ok(())
}
