//! Calendar files (RFC 5545): lines folded at 75 octets and never inside a character, texts
//! escaped, times in UTC. The same entries give the same bytes, so that a feed can be asked for
//! with an ETag.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::agenda::{Event, Item, What, When};

/// Whoever publishes: a file sent by mail has to name them.
#[derive(Debug, Clone, Copy)]
pub struct Organizer<'a> {
    /// The office's name.
    pub name: &'a str,
    /// Its address.
    pub address: &'a str,
}

/// What stands over the entries.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The calendar's name.
    pub name: &'a str,
    /// The office that asks, and its telephone number.
    pub office: &'a str,
    /// The number to call.
    pub telephone: Option<&'a str>,
}

/// A feed that a calendar program asks for again and again.
#[must_use]
pub fn feed(head: Head<'_>, events: &[Event]) -> String {
    let mut file = Lines::begin();
    file.text("NAME", head.name);
    file.text("X-WR-CALNAME", head.name);
    file.line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    file.line("X-PUBLISHED-TTL:PT1H");
    for event in events {
        file.event(head, event, None);
    }
    file.end()
}

/// One entry as a file of its own, for a mail.
#[must_use]
pub fn attachment(head: Head<'_>, event: &Event, organizer: Organizer<'_>) -> String {
    let mut file = Lines::begin();
    file.line("METHOD:PUBLISH");
    file.event(head, event, Some(organizer));
    file.end()
}

/// The length of a deadline's entry, so that no program hides it.
const LENGTH: TimeDelta = TimeDelta::minutes(30);

struct Lines(String);

impl Lines {
    fn begin() -> Self {
        let mut lines = Self(String::new());
        lines.line("BEGIN:VCALENDAR");
        lines.line("VERSION:2.0");
        lines.line("PRODID:-//cuiban//cuiban//ZH");
        lines.line("CALSCALE:GREGORIAN");
        lines
    }

    fn end(mut self) -> String {
        self.line("END:VCALENDAR");
        self.0
    }

    fn event(&mut self, head: Head<'_>, event: &Event, organizer: Option<Organizer<'_>>) {
        let changed = instant(event.changed_at);
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}@cuiban", event.uid));
        self.line(&format!("DTSTAMP:{changed}"));
        self.line(&format!("LAST-MODIFIED:{changed}"));
        self.line(&format!("SEQUENCE:{}", event.sequence));
        match event.when {
            When::Until(at) => {
                self.line(&format!("DTSTART:{}", instant(at - LENGTH)));
                self.line(&format!("DTEND:{}", instant(at)));
            }
            // One day: without an end, which would be exclusive and differ among programs.
            When::On(day) => self.line(&format!("DTSTART;VALUE=DATE:{}", date(day))),
        }
        self.text("SUMMARY", &summary(event));
        self.text("DESCRIPTION", &description(head, event));
        if let Some(organizer) = organizer {
            let name = organizer.name.replace(['"', '\r', '\n'], "");
            self.line(&format!(
                "ORGANIZER;CN=\"{name}\":mailto:{}",
                organizer.address
            ));
        }
        self.line(match event.settled {
            true => "STATUS:CANCELLED",
            false => "STATUS:CONFIRMED",
        });
        self.line("TRANSP:TRANSPARENT");
        self.line("END:VEVENT");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.line(&format!("{name}:{}", escaped(text)));
    }

    /// A line, folded: what follows begins with a blank, which counts among its octets.
    fn line(&mut self, line: &str) {
        const MOST: usize = 75;
        let mut rest = line;
        let mut room = MOST;
        while rest.len() > room {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(room));
            self.0.push_str(head);
            self.0.push_str("\r\n ");
            rest = tail;
            room = MOST - 1;
        }
        self.0.push_str(rest);
        self.0.push_str("\r\n");
    }
}

fn summary(event: &Event) -> String {
    match &event.what {
        What::Reports { quarter, items, .. } => {
            let open = items.iter().filter(|item| item.open).count();
            match open {
                0 => format!("【已报】{}重点工作进展", quarter.chinese()),
                _ => format!(
                    "【报送截止】{}重点工作进展（未报{open}项）",
                    quarter.chinese()
                ),
            }
        }
        What::Milestone { task, content, .. } => {
            let mark = if event.settled {
                "【已报】"
            } else {
                "【到期】"
            };
            format!("{mark}第{task}项：{content}")
        }
        What::Quarter {
            quarter,
            obligations,
            reported,
            ..
        } => format!(
            "【报送截止】{}：应报{obligations}项，已报{reported}项",
            quarter.chinese()
        ),
    }
}

fn description(head: Head<'_>, event: &Event) -> String {
    let mut lines = match &event.what {
        What::Reports { plan, items, .. } => {
            let mut lines = vec![plan.clone()];
            lines.extend(items.iter().map(item));
            lines.push("请点最近一次提醒消息中的链接填报。".into());
            lines
        }
        What::Milestone { name, unit, .. } => vec![format!("{name}（{unit}）")],
        What::Quarter { plan, .. } => vec![plan.clone()],
    };
    lines.push(match head.telephone {
        Some(telephone) => format!("{}　电话：{telephone}", head.office),
        None => head.office.to_owned(),
    });
    lines.join("\n")
}

fn item(item: &Item) -> String {
    let state = if item.open { "未报" } else { "已报" };
    let put_off = item.put_off.filter(|_| item.open);
    let put_off = put_off.map_or_else(String::new, |(day, _)| {
        format!("（延至{}）", day.format("%-m月%-d日"))
    });
    format!(
        "第{}项 {}（{}）：{state}{put_off}",
        item.task, item.name, item.unit
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

fn date(day: NaiveDate) -> String {
    day.format("%Y%m%d").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head() -> Head<'static> {
        Head {
            name: "重点工作报送截止（钟靖平）",
            office: "市政府督查科",
            telephone: Some("0769-22830000"),
        }
    }

    fn events() -> Vec<Event> {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let item = |task, name: &str, open| Item {
            task,
            name: name.into(),
            unit: "市科技局".into(),
            open,
            put_off: None,
        };
        vec![
            Event {
                uid: "dongguan-2022-2022Q1-p0123456789ab".into(),
                sequence: 731,
                changed_at: at("2022-03-22T02:00:00Z"),
                when: When::Until(at("2022-03-31T10:00:00Z")),
                what: What::Reports {
                    quarter: "2022Q1".parse().unwrap(),
                    plan: "2022年东莞市政府工作报告重点工作分解表".into(),
                    items: vec![
                        item(31, "加快建设松山湖科学城", true),
                        item(32, "实施重大科技攻关, 含\\;分号", false),
                    ],
                },
                settled: false,
            },
            Event {
                uid: "dongguan-2022-31-0-0a1b2c3d4e5f".into(),
                sequence: 732,
                changed_at: at("2022-03-23T02:00:00Z"),
                when: When::On("2022-02-15".parse().unwrap()),
                what: What::Milestone {
                    task: 31,
                    name: "加快建设松山湖科学城".into(),
                    unit: "市科技局".into(),
                    content: "先进阿秒激光设施完成选址".into(),
                },
                settled: true,
            },
        ]
    }

    #[test]
    fn a_feed_and_an_attachment_as_they_are_written() {
        insta::assert_snapshot!("feed", feed(head(), &events()).replace("\r\n", "\n"));
        let organizer = Organizer {
            name: "市政府\"督查科\"",
            address: "duban@example.gov.cn",
        };
        let file = attachment(head(), &events()[0], organizer);
        insta::assert_snapshot!("attachment", file.replace("\r\n", "\n"));
    }

    proptest! {
        #[test]
        fn lines_are_short_whole_and_come_back(text in "[督查a1é😀,;\\\\\n（）]{0,200}") {
            let mut lines = Lines(String::new());
            lines.text("SUMMARY", &text);
            for line in lines.0.split_terminator("\r\n") {
                prop_assert!(line.len() <= 75, "{}", line.len());
            }
            let unfolded = lines.0.replace("\r\n ", "");
            let back = unfolded.strip_prefix("SUMMARY:").unwrap().strip_suffix("\r\n").unwrap();
            prop_assert!(!back.contains(['\r', '\n']));
            let mut plain = String::new();
            let mut chars = back.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\\' => match chars.next().unwrap() {
                        'n' => plain.push('\n'),
                        other => plain.push(other),
                    },
                    other => plain.push(other),
                }
            }
            prop_assert_eq!(plain, text);
        }
    }
}
