//! The card of a reminder: what is open, until when, and the four statuses as buttons.
//!
//! Where the platform can call us, a tap reports by itself: of the one item, or of the one chosen
//! in the list. Else, and for a status that wants words, the button opens the person's own page
//! with that status chosen. Lengths are the platform's recommendations: beyond them a client cuts.

use serde_json::{Value, json};

use crate::channel::render::{self, RenderError};
use crate::domain::brief::{Brief, Item};
use crate::domain::report::ReportStatus;

/// The card for this message. Its name is taken once for ever, so that the moment is part of it.
pub(super) fn reminder(brief: &Brief, taps: &[ReportStatus]) -> Result<Value, RenderError> {
    let words = render::card(brief, !taps.is_empty())?;
    let mut card = json!({
        "card_type": "button_interaction",
        "source": { "desc": cut(&brief.office.name, 13), "desc_color": 0 },
        "main_title": { "title": cut(&words.title, 26), "desc": cut(&words.desc, 30) },
        "quote_area": { "type": 0, "quote_text": quote(brief) },
        "sub_title_text": cut(&words.text, 112),
        "horizontal_content_list": rows(brief),
        "card_action": { "type": 1, "url": brief.link },
        "task_id": format!("cuiban-{}-{}", brief.id, brief.at.timestamp_millis()),
        "button_list": buttons(&brief.link, taps),
    });
    let choices = if taps.is_empty() {
        None
    } else {
        choices(brief)
    };
    if let (Some(choices), Some(card)) = (choices, card.as_object_mut()) {
        card.insert("button_selection".into(), choices);
    }
    Ok(card)
}

/// Which item a tap is about, where there are several; the most urgent stands first.
fn choices(brief: &Brief) -> Option<Value> {
    const MOST: usize = 10;
    if brief.items.len() < 2 {
        return None;
    }
    let option = |id: String, text: &str| json!({ "id": id, "text": cut(text, 16) });
    let mut options: Vec<Value> = brief
        .items
        .iter()
        .take(MOST - 1)
        .map(|item| {
            option(
                item.task.to_string(),
                &format!("{} {}", item.task, item.short_name),
            )
        })
        .collect();
    options.push(option(
        "all".into(),
        &format!("全部{}项", brief.items.len()),
    ));
    let first = brief.items.first().map(|item| item.task.to_string());
    Some(json!({
        "question_key": "item",
        "title": "事项",
        "option_list": options,
        "selected_id": first,
    }))
}

/// The four statuses, then the page as it is.
fn buttons(link: &str, taps: &[ReportStatus]) -> Vec<Value> {
    let button = |text: &str, style: u8, url: String| json!({ "text": text, "style": style, "type": 1, "url": url });
    let statuses = ReportStatus::ALL.into_iter().map(|status| {
        // 1 blue, 2 grey frame, 3 red, as the clients show them.
        let style = match status {
            ReportStatus::Completed => 1,
            ReportStatus::OnSchedule => 1,
            ReportStatus::Behind => 3,
            ReportStatus::NotStarted => 2,
        };
        let (text, name) = (status.chinese(), status.as_str());
        match taps.contains(&status) {
            true => json!({ "text": text, "style": style, "type": 0, "key": name }),
            false => button(text, style, format!("{link}?status={name}")),
        }
    });
    let page = button("逐项填写", 2, link.to_owned());
    statuses.chain(std::iter::once(page)).collect()
}

/// At most six rows: the items by number and name, how many more, whom to call.
fn rows(brief: &Brief) -> Vec<Value> {
    const MOST: usize = 6;
    let row =
        |key: String, value: &str| json!({ "keyname": cut(&key, 5), "value": cut(value, 26) });
    let room = MOST - usize::from(brief.office.telephone.is_some());
    let shown = match brief.items.len() {
        all if all <= room => all,
        _ => room - 1,
    };
    let mut rows: Vec<Value> = brief
        .items
        .iter()
        .take(shown)
        .map(|item| row(format!("第{}项", item.task), &item.short_name))
        .collect();
    let more = brief.items.len() - shown;
    if more > 0 {
        rows.push(row("另有".into(), &format!("{more}项，点开即可查看")));
    }
    if let Some(telephone) = &brief.office.telephone {
        rows.push(row("咨询电话".into(), telephone));
    }
    rows
}

/// This quarter's milestones in the table's words: whole where there is one item, the gist of the
/// most urgent ones else.
fn quote(brief: &Brief) -> String {
    const MOST: usize = 400;
    const LISTED: usize = 5;
    let gist = match brief.items.len() {
        0 | 1 => MOST,
        many => MOST / many.min(LISTED),
    };
    let lines: Vec<String> = brief
        .items
        .iter()
        .take(LISTED)
        .map(|item| {
            let text = match &item.returned {
                Some(why) => format!("已退回，请修改后重新报送：{why}"),
                None => milestones(item),
            };
            cut(&format!("第{}项：{text}", item.task), gist)
        })
        .collect();
    lines.join("\n")
}

fn milestones(item: &Item) -> String {
    let texts: Vec<&str> = item
        .milestones
        .iter()
        .map(|milestone| milestone.content.as_str())
        .collect();
    texts.join(" ")
}

/// One line of at most `most` characters.
fn cut(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let kept = line.chars().take(most.saturating_sub(1));
    kept.chain(['…']).collect()
}
