//! `doctor`: how everything is, and what to do.

use std::path::Path;

use super::client::Client;
use super::{owner, print, say, serve};
use crate::app;
use crate::app::answers::{DoctorLine, VerifyAnswer};
use crate::app::doctor::is_for_all;
use crate::config::{Config, Loaded};
use crate::domain::causes;
use crate::domain::checkup::{self, Line, State};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 输出 JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    // With secrets where they are ours to read: who else may is part of the answer.
    let loaded = Config::load(config, std::env::vars())
        .or_else(|_| Config::load_without_secrets(config, std::env::vars()));
    let lines = match loaded {
        Err(faults) => vec![DoctorLine::of(&checkup::config(Err(&faults.to_string())))],
        Ok(loaded) => serve::runtime()?.block_on(look(config, loaded))?,
    };
    if args.json {
        print(&serde_json::to_vec(&lines)?)?;
    } else {
        print(shown(&lines).as_bytes())?;
    }
    let broken = lines.iter().filter(|line| line.state() == State::Broken);
    match broken.count() {
        0 => Ok(()),
        many => anyhow::bail!("有{many}项故障，请按上面的提示处理"),
    }
}

/// The daemon looks for itself; without one this process does.
async fn look(config: Option<&Path>, loaded: Loaded) -> anyhow::Result<Vec<DoctorLine>> {
    let first = |line: Line| vec![DoctorLine::of(&line)];
    let mut lines = first(config_line(&loaded));
    match Client::of_daemon(&loaded.config).await {
        Err(error) => {
            lines.extend(first(checkup::unanswered(&causes::told(error.as_ref()))));
        }
        Ok(Some(client)) => match client.get_json::<Vec<DoctorLine>>("/api/v1/doctor").await {
            Ok(found) => lines.extend(found),
            Err(error) => lines.extend(first(checkup::unanswered(&causes::told(error.as_ref())))),
        },
        Ok(None) => {
            say("正在检查，最多需要几秒……");
            // Passwords are needed now, and may not be for this user to read.
            match Config::load(config, std::env::vars()) {
                Err(faults) => return Ok(first(checkup::config(Err(&faults.to_string())))),
                Ok(loaded) => {
                    lines = first(config_line(&loaded));
                    let found = match owner::other(&loaded.config) {
                        Some(owner) => {
                            let verified = verified(owner, config);
                            app::doctor::beside(loaded.config, verified).await
                        }
                        None => app::doctor::alone(loaded.config).await?,
                    };
                    lines.extend(found.iter().map(DoctorLine::of));
                }
            }
        }
    }
    Ok(lines)
}

/// Both copies of a store that is not ours to open, read by its owner.
fn verified(owner: owner::Owner, config: Option<&Path>) -> Result<VerifyAnswer, String> {
    let asked = owner.command(config).and_then(|mut command| {
        let command = command.args(["journal", "verify", "--json"]);
        Ok(command.output()?)
    });
    let output = asked.map_err(|error| causes::told(error.as_ref()))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

fn config_line(loaded: &Loaded) -> Line {
    let texts = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>();
    let files = texts(&mut loaded.sources.iter().map(|file| file.display().to_string()));
    let open = loaded.sources.iter().filter(|file| is_for_all(file, 0o004));
    let open =
        open.map(|file| format!("其他用户也能读取 {0}，请执行 chmod o= {0}", file.display()));
    let warnings = loaded.warnings.iter().map(ToString::to_string);
    let warnings = texts(&mut warnings.chain(open));
    checkup::config(Ok((&files, &warnings)))
}

/// `正常  存储：…`, and under it what to do.
fn shown(lines: &[DoctorLine]) -> String {
    let mut text = String::new();
    for line in lines {
        let said = line.text.trim_end().replace('\n', "\n      ");
        text.push_str(&format!(
            "{}  {}：{said}\n",
            line.state().chinese(),
            line.name
        ));
        if !line.next.is_empty() {
            text.push_str(&format!("      → {}\n", line.next));
        }
    }
    text
}
