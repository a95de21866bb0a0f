//! What the member is told: what was understood, what is missing, what is still open. One text,
//! never longer than the platform shows.

use chrono::{DateTime, Utc};

use crate::desk::Office;
use crate::domain::calendar::Calendar;
use crate::domain::heard::{self, PAGE};
use crate::domain::ids::{self, TaskNo};
use crate::domain::message::Thread;
use crate::domain::report::Report;
use crate::web::format::moment;

/// Bytes; beyond 2048 the platform cuts without a word.
const LONGEST: usize = 2000 - ADDRESS;
/// Bytes kept for the page's address.
const ADDRESS: usize = 300;
/// Characters of the owner's own words that are repeated.
const REPEATED: usize = 60;

/// An answer in the making.
pub(super) struct Answer {
    office: Office,
    /// A number to show how to answer.
    example: TaskNo,
    page: Option<Thread>,
    pub lines: Vec<Line>,
    pub receipt: Option<String>,
}

/// One thing to be told.
pub(super) enum Line {
    /// This report was taken.
    Taken(String, Box<Report>),
    /// It is accepted already.
    Accepted(TaskNo),
    /// Something of it is missing or wrong.
    Fault(TaskNo, String),
    /// What to do about that.
    Again,
    /// This part was not understood, and why.
    Left(String, &'static str),
    /// The same number is open in several quarters.
    WhichQuarter(TaskNo),
    /// Nothing of it was understood, and why.
    Unclear(&'static str),
    /// It is not theirs.
    NotMine,
    /// 已知悉.
    Acknowledged,
    /// There is nothing to be reported.
    NothingOpen,
    /// How to answer.
    Help,
    /// A picture or the like.
    NotRead(&'static str),
    /// The card is of no use any more.
    OldCard,
    /// No item was chosen on the card.
    Choose,
    /// All of the card is answered already.
    Settled,
    /// What is open, one by one.
    Item(TaskNo, String),
    /// What is open, in short.
    StillOpen(Vec<TaskNo>),
    /// Nobody of the sheet.
    Stranger,
}

impl Answer {
    pub(super) fn new(office: &Office, page: Option<Thread>, example: Option<TaskNo>) -> Self {
        Self {
            office: office.clone(),
            example: example.unwrap_or(1),
            page,
            lines: Vec::new(),
            receipt: None,
        }
    }

    pub(super) fn to_stranger(office: &Office) -> Self {
        let mut answer = Self::new(office, None, None);
        answer.lines.push(Line::Stranger);
        answer
    }

    /// The text. It names the moment: two answers that are alike but for it are two.
    pub(super) fn told(&self, calendar: &Calendar, heard_at: DateTime<Utc>) -> heard::Answer {
        let seconds = heard_at.with_timezone(&calendar.zone()).format("%S");
        let at = format!("{}:{seconds}", moment(calendar, heard_at));
        let mut end = Vec::new();
        if self.page.is_some() {
            end.push(format!(
                "逐项填写、补充或更正：<a href=\"{PAGE}\">打开填报页面</a>"
            ));
        }
        if let (Some(phone), false) = (&self.office.phone, self.receipt.is_some()) {
            end.push(format!("如有疑问，请联系{}：{phone}", self.office.name));
        }
        end.push(match &self.receipt {
            Some(number) => format!("回执编号{number}，收到时间：{at}"),
            None => format!("收到时间：{at}"),
        });
        let lines: Vec<String> = self.lines.iter().map(|line| self.say(line)).collect();
        let lines = lines.into_iter().filter(|line| !line.is_empty());
        heard::Answer {
            text: fitted(lines.collect(), &end),
            page: self.page.clone(),
        }
    }

    fn say(&self, line: &Line) -> String {
        let office = &self.office.name;
        let examples = examples(self.example);
        match line {
            Line::Taken(name, report) => taken(name, report),
            Line::Accepted(task) => format!("第{task}项已审核通过，不能再修改。"),
            Line::Fault(task, why) => format!("第{task}项还没有报送：{why}。"),
            Line::Again => "请补充后整条重新回复，或打开填报页面填写。".into(),
            Line::Left(part, why) => {
                format!("“{}”{why}，没有记录，已转{office}人工查看。", shown(part))
            }
            Line::WhichQuarter(task) => format!(
                "第{task}项在不止一个季度待报送，没有记录；请打开填报页面填写，{office}也会查看。"
            ),
            Line::Unclear(why) => format!(
                "您的回复{why}，系统没有记录，已转{office}人工查看。也可以这样回复：\n{examples}"
            ),
            Line::NotMine => format!("已转{office}核对责任人，核对前仍按原责任人提醒，请谅解。"),
            Line::Acknowledged => "已记录您知悉，请在截止前报送进展情况。".into(),
            Line::NothingOpen => "已收到。您目前没有待报送的事项。".into(),
            Line::Help => format!("您好，这里是{office}的报送助手。可以这样回复：\n{examples}"),
            Line::NotRead(kind) => {
                format!("系统读不出{kind}，这条消息没有记录。请用文字回复：\n{examples}")
            }
            Line::OldCard => "这张卡片已失效，没有记录。请用文字回复，或打开填报页面。".into(),
            Line::Choose => "请先在卡片上选择事项，再点进展情况；这次没有记录。".into(),
            Line::Settled => {
                "所选事项已经报送过，这次没有改动；需要更正的，请打开填报页面。".into()
            }
            Line::Item(task, name) => format!("第{task}项 {name}（待报送）"),
            Line::StillOpen(open) => still_open(open),
            Line::Stranger => format!(
                "您好，系统没有找到与您的企业微信账号对应的责任人，这条消息没有处理。如需报送，请联系{office}，在联系人表中登记您的账号。"
            ),
        }
    }
}

impl Line {
    /// What people call a kind of message.
    pub(super) fn kind_of(kind: &str) -> &'static str {
        match kind {
            "image" => "图片",
            "voice" => "语音",
            "video" => "视频",
            "location" => "位置",
            "link" => "链接",
            "file" => "文件",
            _ => "这种消息",
        }
    }
}

/// How to answer, with a number that is the member's own.
fn examples(task: TaskNo) -> String {
    format!(
        "“{task} 已完成，……”（事项序号、进展情况和说明；进展情况为已完成、正常推进、进度滞后或未启动）\n“已知悉”（先告知收到，稍后报送）\n“帮助”（查看本说明和待报送事项）"
    )
}

fn taken(name: &str, report: &Report) -> String {
    let task = report.obligation.task;
    let percent = report
        .percent
        .map_or(String::new(), |n| format!("，完成{n}%"));
    let mut said = format!(
        "已收到：第{task}项 {name}：{}{percent}。",
        report.status.chinese()
    );
    for (title, text) in report.texts() {
        said.push_str(&format!("\n{title}：{}", shown(text)));
    }
    said
}

/// The beginning of the owner's own words; `<` would begin a link.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = line.replace('<', "＜").replace('>', "＞").replace(PAGE, "");
    let length = text.chars().count();
    if plain.chars().count() <= REPEATED {
        return plain;
    }
    let begin: String = plain.chars().take(REPEATED).collect();
    format!("{begin}……（共{length}字）")
}

fn still_open(open: &[TaskNo]) -> String {
    match open {
        [] => "您目前没有待报送的事项了，谢谢。".into(),
        _ => format!("还有{}项待报送：第{}项。", open.len(), ids::told(open)),
    }
}

/// As many of the lines as fit; what had to be left out is said.
fn fitted(mut lines: Vec<String>, end: &[String]) -> String {
    let left_out = "（内容较多，其余请打开填报页面查看）".to_owned();
    let whole = |lines: &[String]| {
        let all: Vec<&str> = lines.iter().chain(end).map(String::as_str).collect();
        all.join("\n")
    };
    if whole(&lines).len() <= LONGEST {
        return whole(&lines);
    }
    lines.push(left_out);
    while whole(&lines).len() > LONGEST && lines.len() > 1 {
        lines.remove(lines.len() - 2);
    }
    whole(&lines)
}
