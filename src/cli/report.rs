//! `report`: enters a report on someone's behalf.

use std::path::Path;

use super::client::with_client;
use super::print;
use crate::reply::EnteredAnswer;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 任务序号
    #[arg(long)]
    task: u32,
    /// 责任人：姓名，重名时写成“单位/姓名”或人员编号
    #[arg(long)]
    person: String,
    /// 季度，例如 2022Q1
    #[arg(long)]
    quarter: String,
    /// 进展情况：completed（已完成）、on_schedule（正常推进）、behind（进度滞后）、not_started（未启动）
    #[arg(long)]
    status: String,
    /// 完成情况
    #[arg(long, default_value = "")]
    text: String,
    /// 分解表编号；不写则取该同志本季度有应报事项的一份
    #[arg(long)]
    plan: Option<String>,
    /// 输出 JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let body = serde_json::json!({
        "plan": args.plan,
        "quarter": args.quarter,
        "task": args.task,
        "person": args.person,
        "status": args.status,
        "text": args.text,
    });
    let answer: EnteredAnswer = with_client(config, async |client| {
        client.post_json("/api/v1/report", &body).await
    })?;
    if args.json {
        print(&serde_json::to_vec(&answer)?)
    } else {
        print(format!("{}\n", answer.text).as_bytes())
    }
}
