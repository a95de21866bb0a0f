//! The lines on the clock and on the days that count.

use chrono::{Datelike, NaiveDate};

use super::{Line, State};

const CLOCK: &str = "时钟";

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

/// Whether time servers keep the machine's clock right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kept {
    /// They do.
    Yes,
    /// They do not.
    No,
    /// Nobody here can tell.
    #[default]
    Unknown,
}

impl Kept {
    /// `said`: what `timedatectl` says of NTPSynchronized, which is the kernel's word, whoever sets
    /// the clock. `signed`: whether systemd-timesyncd has left the sign that it has set it; others
    /// leave none, so that its absence says nothing.
    #[must_use]
    pub fn seen(said: Option<&str>, signed: bool) -> Self {
        match said.map(str::trim) {
            Some("yes") => Self::Yes,
            Some("no") => Self::No,
            _ if signed => Self::Yes,
            _ => Self::Unknown,
        }
    }
}

pub(super) fn clock(time: &Time, kept: Kept) -> Line {
    if time.leapt {
        return Line::new(
            CLOCK,
            State::Broken,
            format!("系统时间突然跳变，现为{}，提醒和发送已暂停", time.shown),
            "核对系统时间（timedatectl）；无误的，执行 cuiban clock confirm 恢复",
        );
    }
    match time.simulated {
        true => Line::new(
            CLOCK,
            State::Doubtful,
            format!("模拟时间 {}", time.shown),
            "正式使用时，启动服务不要加 --clock",
        ),
        false => by_machine(&time.shown, kept),
    }
}

fn by_machine(shown: &str, kept: Kept) -> Line {
    let line =
        |state, words: &str, next| Line::new(CLOCK, state, format!("{shown}，{words}"), next);
    match kept {
        Kept::Yes => line(State::Well, "已自动校时", ""),
        Kept::No => line(
            State::Doubtful,
            "没有自动校时：时间走偏了，提醒的时间、截止时间和登录验证码都会不准",
            "执行 timedatectl set-ntp true（提示不支持的，先安装 systemd-timesyncd 或 chrony；\
             内网填写本单位的时间服务器），几分钟后再执行一次 cuiban doctor",
        ),
        Kept::Unknown => line(State::Well, "看不出是否自动校时，请自行核对", ""),
    }
}

pub(super) fn holidays(today: NaiveDate, (this, next): (bool, bool)) -> Line {
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
