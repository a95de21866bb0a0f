//! `simulate`: every message that would leave, when, to whom, why.

use std::path::Path;

use super::client::with_client;
use super::print;
use crate::web::percent;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 只看这一份分解表
    #[arg(long)]
    plan: Option<String>,
    /// 起始日期或时刻，例如 2022-01-01；不指定时为现在
    #[arg(long)]
    from: Option<String>,
    /// 截止日期或时刻；不指定时到最后一个季度督办之后
    #[arg(long)]
    to: Option<String>,
    /// 输出 JSON，每行一条
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let mut path = format!(
        "/api/v1/simulate?format={}",
        if args.json { "json" } else { "text" }
    );
    for (name, value) in [("plan", &args.plan), ("from", &args.from), ("to", &args.to)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", percent::encoded(value)));
        }
    }
    with_client(config, async |client| print(&client.get(&path).await?))
}
