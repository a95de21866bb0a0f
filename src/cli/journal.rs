//! `journal dump`, `journal verify`.

use std::path::Path;

use clap::Subcommand;

use super::client::with_client;
use super::print;
use crate::app::answers::VerifyAnswer;

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
        Command::Dump => with_client(config, async |client| {
            print(&client.get("/api/v1/journal").await?)
        }),
        Command::Verify { json } => verify(config, json),
    }
}

fn verify(config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let answer: VerifyAnswer = with_client(config, async |client| {
        client.get_json("/api/v1/journal/verify").await
    })?;
    if json {
        print(&serde_json::to_vec(&answer)?)?;
    } else {
        print(format!("{}\n", answer.text).as_bytes())?;
    }
    anyhow::ensure!(answer.sound, "记录校验没有通过，损坏之处见上");
    Ok(())
}
