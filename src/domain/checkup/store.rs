//! The lines on what is kept: the store, its backup, and a store that came out of one.

use super::{Line, State};

const STORE: &str = "存储";

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// There is none yet.
    Nothing,
    /// Why it cannot be used.
    Broken(String),
    /// Somebody read it through, and it is not whole.
    Damaged {
        /// Where.
        what: String,
        /// What to do, as [`mend`] or [`mark_anew`] says it.
        next: String,
    },
    /// It opens.
    Open {
        /// How many facts it has.
        facts: u64,
        /// Damage that was found and mended since the start.
        healed: u64,
        /// What was put aside when it was mended, and is there still.
        aside: Vec<String>,
        /// Whether both copies were read through just now.
        verified: bool,
    },
}

/// The nightly backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backup {
    /// None is configured.
    Off,
    /// There is none yet.
    None,
    /// The last one.
    Last {
        /// When, as people read it.
        shown: String,
        /// How many hours ago.
        hours: i64,
    },
}

pub(super) fn store(store: &Stored) -> Line {
    match store {
        Stored::Nothing => Line::new(
            STORE,
            State::Doubtful,
            "还没有数据",
            "执行 cuiban plan import 分解表文件；已经导入过的，请用 --config 指定服务所用的配置文件",
        ),
        Stored::Broken(why) => Line::new(
            STORE,
            State::Broken,
            why,
            "先备份整个存储目录，再执行 cuiban journal verify 查看损坏之处",
        ),
        Stored::Damaged { what, next } => Line::new(STORE, State::Broken, what, next),
        Stored::Open {
            facts,
            healed,
            aside,
            verified,
        } => {
            let checked = match verified {
                true => "两份记录逐条相符",
                false => "可以写入",
            };
            opened(format!("{checked}，共{facts}条记录"), *healed, aside)
        }
    }
}

/// A store that opens, `text` saying what it holds.
fn opened(text: String, healed: u64, aside: &[String]) -> Line {
    match (healed, aside) {
        (0, []) => Line::new(STORE, State::Well, text, ""),
        (_, []) => Line::new(
            STORE,
            State::Doubtful,
            format!("{text}；启动以来修复过{healed}处损坏"),
            "请检查磁盘和电源；可执行 cuiban journal verify 逐条校验",
        ),
        (_, aside) => Line::new(
            STORE,
            State::Doubtful,
            format!(
                "{text}；曾有损坏，已自动修复，损坏的原数据保留在 {}",
                aside.join("、")
            ),
            "请检查磁盘和电源；执行 cuiban journal verify，全部正常后可删除保留的原数据",
        ),
    }
}

/// What to do about a store that is not whole.
#[must_use]
pub fn mend(can_be_healed: bool) -> &'static str {
    match can_be_healed {
        true => {
            "请先把整个存储目录另行备份，再启动服务：服务会按完好的一份修复另一份，损坏的原样保留在旁边"
        }
        false => {
            "两份都有损坏，不能自动修复：请先把整个存储目录另行备份，再用最近的备份恢复（cuiban restore 备份文件 --replace）"
        }
    }
}

/// What to do about a store of which a copy is whole and the mark is not; `rewrite` is the line to
/// type that writes the mark anew, none where a restore was broken off.
#[must_use]
pub fn mark_anew(rewrite: Option<&str>) -> String {
    match rewrite {
        None => "上一次恢复没有做完：请再执行一次 cuiban restore 备份文件 --replace".to_owned(),
        Some(line) => format!(
            "没有完好的标记，服务启动不了。请先把整个存储目录另行备份；数据由别的版本写入的，请改用那个版本；\
             否则执行 {line}，再启动服务"
        ),
    }
}

pub(super) fn backup(backup: &Backup) -> Line {
    let name = "备份";
    match backup {
        Backup::Off => Line::new(
            name,
            State::Doubtful,
            "没有设置每日备份",
            "在配置的 [backup] 一节填写 folder，并把备份再复制到别的机器",
        ),
        Backup::None => Line::new(
            name,
            State::Doubtful,
            "还没有备份",
            "服务启动后会自动备份；也可执行 cuiban backup 文件",
        ),
        Backup::Last { shown, hours } if *hours <= 48 => {
            Line::new(name, State::Well, format!("最近一次 {shown}"), "")
        }
        Backup::Last { shown, hours } => Line::new(
            name,
            State::Broken,
            format!("最近一次 {shown}，已过{}天", hours / 24),
            "查看 journalctl -u cuiban 中备份没有完成的原因",
        ),
    }
}

pub(super) fn restored(from: &str) -> Line {
    Line::new(
        "恢复",
        State::Broken,
        format!("由{from}的备份恢复，提醒和发送已暂停"),
        "确认原服务最后运行到的时间，执行 cuiban resume --not-before 时间",
    )
}
