//! `urge`: 催办 now.

use std::path::Path;

use super::client::with_client;
use super::print;
use crate::board::urge::UrgeAnswer;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 季度，例如 2022Q1
    #[arg(long)]
    quarter: String,
    /// 只催这个牵头单位
    #[arg(long)]
    unit: Option<String>,
    /// 只催这个人：姓名，重名时写成“单位/姓名”或人员编号
    #[arg(long)]
    person: Option<String>,
    /// 只列出谁将收到什么、走哪个渠道、本周已收到几条，不发送
    #[arg(long)]
    dry_run: bool,
    /// 输出 JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let body = serde_json::json!({
        "quarter": args.quarter,
        "unit": args.unit,
        "person": args.person,
        "dry_run": args.dry_run,
    });
    let answer: UrgeAnswer = with_client(config, async |client| {
        client.post_json("/api/v1/urge", &body).await
    })?;
    if args.json {
        print(&serde_json::to_vec(&answer)?)
    } else {
        print(format!("{}\n", answer.text).as_bytes())
    }
}
