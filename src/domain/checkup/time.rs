//! The lines on the clock and on the days that count.

use chrono::{Datelike, NaiveDate};

use super::{Line, State};

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

pub(super) fn clock(time: &Time) -> Line {
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
