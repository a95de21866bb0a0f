//! `serve`: the daemon.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Exit, client, owner};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry;

/// Longest wait for what blocks when all else has ended.
const HANGS: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 以模拟时钟运行，从这一时刻开始，例如 2022-03-16T16:00:00+08:00
    #[arg(long, value_parser = instant)]
    clock: Option<DateTime<Utc>>,
    /// 模拟时钟的快慢：每一真实秒走多少秒；0 为静止，只能通过接口拨动
    #[arg(long, default_value_t = 1.0, value_parser = speed, requires = "clock")]
    speed: f64,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    let path = config.map(Path::to_owned);
    let config = client::load(config)?;
    anyhow::ensure!(
        owner::other(&config).is_none(),
        "存储目录“{}”属于运行服务的账号，以 root 启动会留下服务打不开的文件：请执行 systemctl start cuiban",
        config.store.path.display()
    );
    let level = std::env::var("RUST_LOG").ok();
    telemetry::start(&config.log, level.as_deref())
        .map_err(|error| Exit::Usage(error.to_string()))?;
    let clock = match args.clock {
        Some(start) => Clock::simulated(start, args.speed),
        None => Clock::System,
    };
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let app = App::open(config, clock).await?;
        let source = Arc::new(move || Config::load(path.as_deref(), std::env::vars()));
        app.reloading(source).serve().await
    });
    // All is closed by now; what still hangs in the machine, such as a backup to a dead mount, is
    // not waited for.
    runtime.shutdown_timeout(HANGS);
    served
}

/// Two workers are plenty: the store has a thread of its own, and passwords are hashed elsewhere.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| "请写成 2022-03-16T16:00:00+08:00 的形式".into())
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed >= 0.0 => Ok(speed),
        _ => Err("请写成不小于0的数字".into()),
    }
}
