//! What `doctor` says: one line for everything that has to work, from what was seen.
//!
//! Pure: the asking is done elsewhere. Every line that is not well says what to do.

mod machine;
mod peers;

use chrono::{Datelike, NaiveDate};

pub use machine::{Disk, Owned, Rights};
pub use peers::{Answer, Distrust, Page, Tried, Way};

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
        /// Whether one copy is good, so that the other can be made anew.
        can_be_healed: bool,
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

/// The clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// As people read it.
    pub shown: String,
    /// Whether it is simulated.
    pub simulated: bool,
    /// Whether it has leapt and nobody has agreed.
    pub leapt: bool,
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
    let mut lines = vec![service(seen.running), store(&seen.store)];
    lines.extend(seen.disk.map(machine::disk));
    lines.extend(seen.rights.as_ref().map(machine::rights));
    lines.push(backup(&seen.backup));
    lines.extend(seen.restored.as_deref().map(restored));
    lines.extend(seen.out.iter().map(|way| peers::way_out(way, seen.today)));
    lines.push(peers::page(&seen.page, seen.today));
    lines.push(peers::mailbox(seen.mailbox.as_ref(), seen.today));
    lines.push(callback(seen));
    lines.push(time(&seen.time));
    lines.push(holidays(seen.today, seen.holidays));
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

fn backup(backup: &Backup) -> Line {
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

fn restored(from: &str) -> Line {
    Line::new(
        "恢复",
        State::Broken,
        format!("由{from}的备份恢复，提醒和发送已暂停"),
        "确认原服务最后运行到的时间，执行 cuiban resume --not-before 时间",
    )
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

fn store(store: &Stored) -> Line {
    let name = "存储";
    match store {
        Stored::Nothing => Line::new(
            name,
            State::Doubtful,
            "还没有数据",
            "执行 cuiban plan import 分解表文件；已经导入过的，请用 --config 指定服务所用的配置文件",
        ),
        Stored::Broken(why) => Line::new(
            name,
            State::Broken,
            why,
            "先备份整个存储目录，再执行 cuiban journal verify 查看损坏之处",
        ),
        Stored::Damaged {
            what,
            can_be_healed,
        } => Line::new(name, State::Broken, what, mend(*can_be_healed)),
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
            let text = format!("{checked}，共{facts}条记录");
            match (healed, aside.as_slice()) {
                (0, []) => Line::new(name, State::Well, text, ""),
                (_, []) => Line::new(
                    name,
                    State::Doubtful,
                    format!("{text}；启动以来修复过{healed}处损坏"),
                    "请检查磁盘和电源；可执行 cuiban journal verify 逐条校验",
                ),
                (_, aside) => Line::new(
                    name,
                    State::Doubtful,
                    format!(
                        "{text}；曾有损坏，已自动修复，损坏的原数据保留在 {}",
                        aside.join("、")
                    ),
                    "请检查磁盘和电源；执行 cuiban journal verify，全部正常后可删除保留的原数据",
                ),
            }
        }
    }
}

fn callback(seen: &Seen) -> Line {
    let name = "接收·企业微信回复";
    let reachable = seen.page.named && !seen.page.local;
    match (seen.callback, reachable) {
        (false, _) => Line::new(
            name,
            State::Well,
            "未启用，按需配置（[wecom.app] 的 callback_token_file 和 callback_aes_key_file）",
            "",
        ),
        (true, true) => Line::new(
            name,
            State::Well,
            format!("已配置，回调地址 {}/wecom/callback", seen.page.url),
            "",
        ),
        (true, false) => Line::new(
            name,
            State::Doubtful,
            "已配置，但企业微信访问不到本机",
            "在配置的 [server] 一节填写企业微信能访问的 public_url，并在管理后台“接收消息”中填写它加 /wecom/callback",
        ),
    }
}

fn time(time: &Time) -> Line {
    let name = "时钟";
    if time.leapt {
        return Line::new(
            name,
            State::Broken,
            format!("系统时间突然跳变，现为{}，提醒和发送已暂停", time.shown),
            "核对系统时间（timedatectl）；无误的，执行 cuiban clock confirm 恢复",
        );
    }
    match time.simulated {
        true => Line::new(
            name,
            State::Doubtful,
            format!("模拟时间 {}", time.shown),
            "正式使用时，启动服务不要加 --clock",
        ),
        false => Line::new(name, State::Well, &time.shown, ""),
    }
}

fn holidays(today: NaiveDate, (this, next): (bool, bool)) -> Line {
    let name = "节假日表";
    let year = today.year();
    let following = year + 1;
    let add = "放假安排公布后，写成文件并填入配置的 time.holidays";
    match (this, next) {
        (true, true) => Line::new(
            name,
            State::Well,
            format!("{year}年、{following}年均有"),
            "",
        ),
        (false, _) => Line::new(
            name,
            State::Doubtful,
            format!("没有{year}年的，工作日暂按周一至周五计算"),
            add,
        ),
        // The State Council names next year's days in November at the latest.
        (true, false) if today.month() == 12 => {
            Line::new(name, State::Doubtful, format!("没有{following}年的"), add)
        }
        (true, false) => Line::new(
            name,
            State::Well,
            format!("{year}年的已有；{following}年的通常在11月前后公布，届时请补充"),
            "",
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

#[cfg(test)]
mod tests;
