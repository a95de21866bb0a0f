//! What `doctor` says: one line for everything that has to work, from what was seen.
//!
//! Pure: the asking is done elsewhere. Every line that is not well says what to do.

mod machine;
mod peers;
mod store;
mod time;

#[cfg(test)]
mod tests;

use chrono::NaiveDate;

pub use machine::{Disk, Owned, Rights};
pub use peers::{Answer, Distrust, Page, Tried, Way};
pub use store::{Backup, Stored, mark_anew, mend};
pub use time::{Kept, Time};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// 正常.
    Well,
    /// 注意: it works, and somebody should look.
    Doubtful,
    /// 故障.
    Broken,
}

impl State {
    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Doubtful => "warn",
            Self::Broken => "fail",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Well, Self::Doubtful, Self::Broken]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Well => "正常",
            Self::Doubtful => "注意",
            Self::Broken => "故障",
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of what.
    pub name: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub text: String,
    /// What to do; empty where nothing is to be done.
    pub next: String,
}

impl Line {
    fn new(name: &str, state: State, text: impl Into<String>, next: &str) -> Self {
        Self {
            name: name.to_owned(),
            state,
            text: text.into(),
            next: next.to_owned(),
        }
    }
}

/// Everything that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whether the daemon runs.
    pub running: bool,
    /// The store.
    pub store: Stored,
    /// Room on the store's disk; none where there is no folder yet.
    pub disk: Option<Disk>,
    /// Who may do what with the store's folder and the command socket; none where there is no
    /// folder yet.
    pub rights: Option<Rights>,
    /// The nightly backup.
    pub backup: Backup,
    /// When the backup was made that the store was restored from, while nobody has said how it
    /// goes on.
    pub restored: Option<String>,
    /// The ways out.
    pub out: Vec<Way>,
    /// The owners' pages.
    pub page: Page,
    /// The mailbox, where answers are read from one.
    pub mailbox: Option<Tried>,
    /// Whether WeCom can call us, as far as the config goes.
    pub callback: bool,
    /// The clock.
    pub time: Time,
    /// Whether the machine's is kept right.
    pub kept: Kept,
    /// Today, in the office's zone.
    pub today: NaiveDate,
    /// Whether there is a holiday table for this year and for the next.
    pub holidays: (bool, bool),
    /// The people of the latest plan.
    pub people: People,
    /// The font with Chinese characters that pictures are drawn with, where there is one.
    pub font: Option<String>,
}

/// Whom the latest plan names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// Nobody could look.
    Unseen,
    /// There is no plan.
    NoPlan,
    /// So many.
    Known {
        /// All of them.
        all: usize,
        /// Those who cannot be reached.
        without: usize,
    },
}

/// What to do about a configuration that was changed and not taken.
pub const READ_ANEW: &str = "改正后执行 systemctl reload cuiban";

/// The line on a configuration that the daemon did not take when it was told to: it goes by the one
/// before.
#[must_use]
pub fn not_taken(words: &str) -> Line {
    Line::new("运行中的配置", State::Doubtful, words, READ_ANEW)
}

/// The line on the configuration: the files read and what is worth a look, or what is wrong.
#[must_use]
pub fn config(read: Result<(&[String], &[String]), &str>) -> Line {
    let name = "配置";
    match read {
        Err(faults) => Line::new(
            name,
            State::Broken,
            faults,
            "按提示改正后，执行 cuiban config check 复查",
        ),
        Ok((files, [])) => Line::new(name, State::Well, sources(files), ""),
        Ok((files, warnings)) => Line::new(
            name,
            State::Doubtful,
            format!("{}；{}", sources(files), warnings.join("；")),
            "请核对以上设置",
        ),
    }
}

/// The line on a daemon that runs and cannot be asked.
#[must_use]
pub fn unanswered(why: &str) -> Line {
    let next = "查看 journalctl -u cuiban，必要时执行 systemctl restart cuiban";
    Line::new("服务", State::Broken, why, next)
}

/// All other lines.
#[must_use]
pub fn lines(seen: &Seen) -> Vec<Line> {
    let mut lines = vec![service(seen.running), store::store(&seen.store)];
    lines.extend(seen.disk.map(machine::disk));
    lines.extend(seen.rights.as_ref().map(machine::rights));
    lines.push(store::backup(&seen.backup));
    lines.extend(seen.restored.as_deref().map(store::restored));
    lines.extend(seen.out.iter().map(|way| peers::way_out(way, seen.today)));
    lines.push(peers::page(&seen.page, seen.today));
    lines.push(peers::mailbox(seen.mailbox.as_ref(), seen.today));
    lines.push(peers::callback(seen.callback, &seen.page));
    lines.push(time::clock(&seen.time, seen.kept));
    lines.push(time::holidays(seen.today, seen.holidays));
    lines.push(people(seen.people));
    lines.push(machine::font(seen.font.as_deref()));
    lines
}

fn sources(files: &[String]) -> String {
    match files {
        [] => "没有配置文件，全部使用默认值".to_owned(),
        files => files.join("、"),
    }
}

fn service(running: bool) -> Line {
    match running {
        true => Line::new("服务", State::Well, "正在运行", ""),
        false => Line::new(
            "服务",
            State::Doubtful,
            "没有运行，不会提醒，也收不到报送",
            "执行 systemctl start cuiban（试用时执行 cuiban serve）",
        ),
    }
}

fn people(people: People) -> Line {
    let name = "通讯录";
    match people {
        People::Unseen => Line::new(
            name,
            State::Doubtful,
            "服务没有运行，未看",
            "启动服务后再执行一次 cuiban doctor",
        ),
        People::NoPlan => Line::new(
            name,
            State::Doubtful,
            "还没有导入分解表",
            "执行 cuiban plan import 分解表文件",
        ),
        People::Known { all, without: 0 } => {
            Line::new(name, State::Well, format!("{all}人均有可用的联系方式"), "")
        }
        People::Known { all, without } => Line::new(
            name,
            State::Doubtful,
            format!("{all}人中有{without}人没有可用的联系方式"),
            "执行 cuiban contacts check 查看名单，补充后执行 cuiban contacts import 文件",
        ),
    }
}
