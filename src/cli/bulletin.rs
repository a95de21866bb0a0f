//! `bulletin`: the quarter's 通报 as .docx.

use std::path::{Path, PathBuf};

use super::client::with_client;
use super::export::{query, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 季度，例如 2022Q1；不指定时为正在催报的季度
    #[arg(long)]
    quarter: Option<String>,
    /// 写入的文件（.docx）
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// 分解表编号；只有一份分解表时不必指定
    #[arg(long)]
    plan: Option<String>,
    /// 过去某一时刻的情况，例如 2022-03-31T18:00:00+08:00
    #[arg(long)]
    as_of: Option<String>,
    /// 只出草稿：不取发文字号，字号处留空
    #[arg(long)]
    draft: bool,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let query = query(&[
        ("plan", &args.plan),
        ("quarter", &args.quarter),
        ("as_of", &args.as_of),
    ]);
    let bytes = with_client(config, async |client| match args.draft {
        true => client.get(&format!("/bulletin.docx?{query}")).await,
        false => client.post_form("/bulletin.docx", &query).await,
    })?;
    write(&args.output, &bytes)
}
