//! `export`: the imported table with what was reported, as .xlsx.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::client::with_client;
use super::say;
use crate::web::percent;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// 写入的文件（.xlsx）
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// What a document is about.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// 季度，例如 2022Q1；不指定时为正在催报的季度
    #[arg(long)]
    quarter: Option<String>,
    /// 分解表编号；只有一份分解表时不必指定
    #[arg(long)]
    plan: Option<String>,
    /// 过去某一时刻的情况，例如 2022-03-31T18:00:00+08:00
    #[arg(long)]
    as_of: Option<String>,
}

impl Asked {
    /// The same as an address has it.
    pub(super) fn query(&self) -> String {
        let asked = [
            ("plan", &self.plan),
            ("quarter", &self.quarter),
            ("as_of", &self.as_of),
        ];
        let given = asked.into_iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(format!("{name}={}", percent::encoded(value)))
        });
        given.collect::<Vec<_>>().join("&")
    }
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let path = format!("/export.xlsx?{}", args.asked.query());
    let bytes = with_client(config, async |client| client.get(&path).await)?;
    write(&args.output, &bytes)
}

/// Writes what came, and says where it lies.
pub(super) fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, bytes).with_context(|| {
        format!(
            "无法写入文件“{}”：请检查所在文件夹是否存在、是否有写入权限",
            file.display()
        )
    })?;
    say(&format!("已写入 {}", file.display()));
    Ok(())
}
