//! `clock confirm`: the time is right after all.

use std::path::Path;

use clap::Subcommand;

use super::client::with_client;
use super::print;
use crate::app::answers::ClockAnswer;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// 确认系统时间无误：时钟突然跳变后恢复提醒和发送
    Confirm,
}

pub(super) fn run(config: Option<&Path>, command: &Command) -> anyhow::Result<()> {
    let Command::Confirm = command;
    let answer: ClockAnswer = with_client(config, async |client| {
        let body = serde_json::json!({});
        client.post_json("/api/v1/clock/confirm", &body).await
    })?;
    print(format!("{}\n", answer.text).as_bytes())
}
