//! `bulletin`: the quarter's 通报 as .docx.

use std::path::{Path, PathBuf};

use super::client::with_client;
use super::export::{Asked, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// 写入的文件（.docx）
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// 只出草稿：不取发文字号，字号处留空
    #[arg(long)]
    draft: bool,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let query = args.asked.query();
    let bytes = with_client(config, async |client| match args.draft {
        true => client.get(&format!("/bulletin.docx?{query}")).await,
        false => client.post_form("/bulletin.docx", &query).await,
    })?;
    write(&args.output, &bytes)
}
