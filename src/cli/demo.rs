//! `demo`: the whole loop on the bundled table, with nothing configured.

use std::net::SocketAddr;

use anyhow::Context as _;
use chrono::DateTime;

use super::{say, serve};
use crate::app::App;
use crate::app::demo;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry;

/// The afternoon before the notice of the first quarter of 2022.
const START: &str = "2022-03-16T16:00:00+08:00";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 监听地址
    #[arg(long, default_value = "127.0.0.1:8780", value_parser = address)]
    listen: SocketAddr,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = Folder::make()?;
    let env = [
        ("CUIBAN__SERVER__LISTEN", args.listen.to_string()),
        ("CUIBAN__STORE__PATH", folder.0.display().to_string()),
        ("CUIBAN__LOG__LEVEL", "warn".to_owned()),
    ];
    let env = env
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    // Nothing of this machine's own configuration takes part.
    let loaded = Config::load_bare(env)?;
    telemetry::start(&loaded.config.log, None)?;
    let clock = Clock::simulated(DateTime::parse_from_rfc3339(START)?.to_utc(), 0.0);
    serve::runtime()?.block_on(async {
        let app = App::open_demo(loaded.config, clock).await?;
        demo::fill(&app).await?;
        app.serve_telling(|address| {
            say(&format!(
                "演示已启动，时钟停在2022年3月16日16:00。请用浏览器打开 http://{address}/inbox\n\
                 在该页可推进时钟、查看每个人收到的消息并打开其中的链接填报；按 Ctrl+C 结束。"
            ));
        })
        .await
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "请写成 127.0.0.1:8780 的形式".into())
}

/// A folder of this run's own, gone afterwards.
struct Folder(std::path::PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("cuiban-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("无法建立临时文件夹“{}”", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
