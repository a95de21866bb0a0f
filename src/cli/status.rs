//! `status`: who has reported and who has not.

use std::path::Path;

use super::client::with_client;
use super::print;
use crate::web::percent;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 季度，例如 2022Q1；不指定时为正在催报的季度
    #[arg(long)]
    quarter: Option<String>,
    /// 过去某一时刻的情况，例如 2022-03-31T18:00:00+08:00
    #[arg(long)]
    as_of: Option<String>,
    /// 只看这个牵头单位
    #[arg(long)]
    unit: Option<String>,
    /// 输出 JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let mut path = format!(
        "/api/v1/board?format={}",
        if args.json { "json" } else { "text" }
    );
    let asked = [
        ("quarter", &args.quarter),
        ("as_of", &args.as_of),
        ("unit", &args.unit),
    ];
    for (name, value) in asked {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", percent::encoded(value)));
        }
    }
    with_client(config, async |client| print(&client.get(&path).await?))
}
