//! The values of a [`Brief`] as templates name them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate};
use serde::Serialize;

use crate::domain::brief::{
    AboutItem, Brief, Decision, DecisionWord, Digest, Item, ItemMilestone, Letter, Receipt,
};
use crate::domain::calendar::weekday_chinese;
use crate::domain::message::Occasion;
use crate::domain::plan::MilestoneKind;

/// Units listed in a digest.
const UNITS: usize = 15;

#[derive(Serialize)]
pub(super) struct View<'a> {
    name: &'a str,
    stage: String,
    kind: &'static str,
    quarter: String,
    quarter_short: &'static str,
    plan: &'a str,
    deadline: Option<DeadlineView>,
    items: Vec<ItemView<'a>>,
    about: Vec<OwnerView<'a>>,
    /// Those of the others' items whose owners nothing has reached, told to coordinators.
    unreached: Vec<OwnerView<'a>>,
    alarms: Vec<AlarmView<'a>>,
    /// How the addressee is being reached.
    channel: &'static str,
    /// How many there are.
    total: usize,
    /// How many of them are left out.
    more: usize,
    digest: Option<DigestView<'a>>,
    copied: String,
    catch_up: bool,
    assumed: bool,
    office: &'a str,
    telephone: Option<&'a str>,
    link: &'a str,
    /// Address of the calendar feed, where the letter carries the deadline.
    calendar: Option<&'a str>,
    board: Option<&'a str>,
    reads_mail: bool,
    token: &'a str,
    today: String,
    mention: Option<&'a str>,
    receipt: Option<ReceiptView<'a>>,
    decisions: Vec<DecisionView<'a>>,
    /// Whether something of what was decided on is still to be reported.
    open: bool,
}

/// The word on what was asked.
#[derive(Serialize)]
struct DecisionView<'a> {
    no: u32,
    name: &'a str,
    unit: &'a str,
    /// `granted`, `refused`, `moved`, `theirs`.
    word: &'static str,
    first: Option<String>,
    day: Option<String>,
    note: &'a str,
}

/// What was understood of a mail.
#[derive(Serialize)]
struct ReceiptView<'a> {
    said: Vec<SaidView<'a>>,
    unkept: Vec<String>,
    left: Option<&'a str>,
}

#[derive(Serialize)]
struct SaidView<'a> {
    no: u32,
    name: &'a str,
    status: &'static str,
    progress: &'a str,
}

#[derive(Serialize)]
struct DeadlineView {
    day: String,
    short: String,
    weekday: &'static str,
    time: String,
    left: i32,
    late: i32,
    passed: bool,
}

#[derive(Serialize)]
struct ItemView<'a> {
    no: u32,
    name: &'a str,
    unit: &'a str,
    milestones: Vec<MilestoneView<'a>>,
    returned: Option<String>,
    behalf_of: Option<&'a str>,
    put_off: Option<String>,
    asked: Option<String>,
    disowned: bool,
}

#[derive(Serialize)]
struct MilestoneView<'a> {
    section: Option<&'a str>,
    content: String,
    when: String,
}

#[derive(Serialize)]
struct AlarmView<'a> {
    words: &'a str,
    since: String,
}

/// Items of the same owners together.
#[derive(Serialize)]
struct OwnerView<'a> {
    owners: String,
    unit: &'a str,
    items: Vec<AboutView<'a>>,
}

#[derive(Serialize)]
struct AboutView<'a> {
    no: u32,
    name: &'a str,
    state: &'static str,
    status: Option<&'static str>,
    /// Who answers for it now; none where the table no longer has it.
    now: Option<&'a str>,
}

#[derive(Serialize)]
struct DigestView<'a> {
    obligations: usize,
    reported: usize,
    open: usize,
    overdue: usize,
    returned: usize,
    to_review: usize,
    units: Vec<UnitView<'a>>,
    more_units: usize,
    unreachable: String,
    unreachable_count: usize,
    dead: usize,
    held: usize,
}

#[derive(Serialize)]
struct UnitView<'a> {
    unit: &'a str,
    open: usize,
    owners: String,
}

/// How many entries a short message could leave out.
pub(super) fn item_count(brief: &Brief) -> usize {
    brief.items.len() + brief.about.len()
}

impl<'a> View<'a> {
    /// With the first `shown` entries, milestones cut to `gist` characters.
    pub(super) fn new(brief: &'a Brief, shown: usize, gist: usize) -> Self {
        let own = shown.min(brief.items.len());
        let others = shown - own;
        let shown_about = || brief.about.iter().take(others);
        // Only a letter that complains keeps them apart.
        let is_unreached = |item: &AboutItem| brief.letter == Letter::Copied && item.unreached;
        let key = &brief.message.key;
        Self {
            name: &brief.name,
            stage: label(brief),
            kind: key.occasion.kind(),
            quarter: key.quarter.chinese(),
            quarter_short: key.quarter.chinese_short(),
            plan: &brief.plan_title,
            deadline: brief.deadline.map(|deadline| DeadlineView {
                day: long(deadline.day),
                short: short(deadline.day),
                weekday: weekday_chinese(deadline.day),
                time: deadline.time.format("%-H:%M").to_string(),
                left: deadline.working_days.max(0),
                late: (-deadline.working_days).max(0),
                passed: deadline.passed,
            }),
            items: brief
                .items
                .iter()
                .take(own)
                .map(|item| item_view(item, gist))
                .collect(),
            about: by_owner(shown_about().filter(|item| !is_unreached(item))),
            unreached: by_owner(shown_about().filter(|item| is_unreached(item))),
            alarms: brief.alarms.iter().map(alarm_view).collect(),
            channel: brief
                .message
                .route
                .first()
                .map_or("", |kind| kind.chinese()),
            total: match brief.letter {
                Letter::Reminder => brief.items.len(),
                Letter::Alarm => brief.alarms.len(),
                Letter::Copied | Letter::Settled | Letter::Digest | Letter::Test => {
                    let told = |item: &&AboutItem| !is_unreached(item);
                    brief.about.iter().filter(told).count()
                }
                Letter::Thanks => brief.about.len(),
                Letter::Decided => brief.decisions.len(),
                Letter::Receipt => brief
                    .receipt
                    .as_ref()
                    .map_or(0, |receipt| receipt.said.len()),
            },
            more: item_count(brief) - own - others.min(brief.about.len()),
            digest: brief
                .digest
                .as_ref()
                .map(|digest| digest_view(digest, gist)),
            copied: brief.copied.join("、"),
            catch_up: brief.message.catch_up,
            assumed: !brief.assumed_years.is_empty(),
            office: &brief.office.name,
            telephone: brief.office.telephone.as_deref(),
            link: &brief.link,
            calendar: brief.event.as_ref().and(brief.calendar.as_deref()),
            board: brief.office.board.as_deref(),
            reads_mail: brief.office.reads_mail,
            token: &brief.token,
            today: format!("{}年{}", brief.at.year(), short(brief.at.date_naive())),
            mention: brief.contact.wecom_user.as_deref(),
            receipt: brief.receipt.as_ref().map(receipt_view),
            decisions: brief.decisions.iter().map(decision_view).collect(),
            open: brief
                .decisions
                .iter()
                .any(|one| one.open && one.word != DecisionWord::Moved),
        }
    }
}

/// What stands in brackets before the first line.
fn label(brief: &Brief) -> String {
    let stage = match (brief.letter, brief.message.key.occasion) {
        (Letter::Copied, _) => "抄告",
        (_, Occasion::Urge(_)) => "催办",
        (_, Occasion::HandedOver(_)) => "致谢",
        (_, Occasion::Receipt(_)) => "回复确认",
        (_, Occasion::Decided(_)) => "事项答复",
        (_, occasion) => occasion.chinese(),
    };
    if brief.message.catch_up {
        format!("{stage}·补发")
    } else {
        stage.to_owned()
    }
}

fn receipt_view(receipt: &Receipt) -> ReceiptView<'_> {
    let said = receipt.said.iter().map(|item| SaidView {
        no: item.task,
        name: &item.name,
        status: item.status,
        progress: &item.progress,
    });
    ReceiptView {
        said: said.collect(),
        unkept: receipt
            .unkept
            .iter()
            .map(|(name, why)| format!("“{name}”{why}"))
            .collect(),
        left: receipt.left.as_deref(),
    }
}

fn decision_view(decision: &Decision) -> DecisionView<'_> {
    let (word, first, day, note) = match &decision.word {
        DecisionWord::Granted { first, day, note } => {
            ("granted", first.map(short), Some(long(*day)), note.as_str())
        }
        DecisionWord::Refused { reason } => ("refused", None, None, reason.as_str()),
        DecisionWord::Moved => ("moved", None, None, ""),
        DecisionWord::Theirs { note } => ("theirs", None, None, note.as_str()),
    };
    DecisionView {
        no: decision.task,
        name: &decision.short_name,
        unit: &decision.unit,
        word,
        first,
        day,
        note,
    }
}

fn alarm_view((since, words): &(DateTime<FixedOffset>, String)) -> AlarmView<'_> {
    let day = short(since.date_naive());
    AlarmView {
        words,
        since: format!("{day}{}", since.format("%-H:%M")),
    }
}

fn item_view(item: &Item, gist: usize) -> ItemView<'_> {
    ItemView {
        no: item.task,
        name: &item.short_name,
        unit: &item.unit,
        milestones: item
            .milestones
            .iter()
            .map(|milestone| MilestoneView {
                section: milestone.section.as_deref(),
                content: shortened(&milestone.content, gist),
                when: when(milestone),
            })
            .collect(),
        returned: item.returned.as_deref().map(|why| shortened(why, gist)),
        behalf_of: item.behalf_of.as_deref(),
        put_off: item.put_off.map(long),
        asked: item.asked.map(short),
        disowned: item.disowned,
    }
}

fn when(milestone: &ItemMilestone) -> String {
    match milestone.kind {
        MilestoneKind::Due if milestone.ends => format!("{}到期", short(milestone.due)),
        MilestoneKind::Due => format!("本季度报进展，{}到期", short(milestone.due)),
        MilestoneKind::Recurring => "每季度报进展".into(),
        MilestoneKind::AllYear => "全年推进，本季度报进展".into(),
        MilestoneKind::Unscheduled => "未定节点，本季度报进展".into(),
    }
}

fn by_owner<'a>(rows: impl Iterator<Item = &'a AboutItem>) -> Vec<OwnerView<'a>> {
    let mut views: Vec<OwnerView<'a>> = Vec::new();
    for row in rows {
        let owners = row.owners.join("、");
        let item = AboutView {
            no: row.task,
            name: &row.short_name,
            state: row.state.chinese(),
            status: row.status.map(|status| status.chinese()),
            now: row.now_with.as_deref(),
        };
        let same = views
            .iter_mut()
            .find(|view| view.unit == row.unit && view.owners == owners);
        match same {
            Some(view) => view.items.push(item),
            None => views.push(OwnerView {
                owners,
                unit: &row.unit,
                items: vec![item],
            }),
        }
    }
    views
}

fn digest_view(digest: &Digest, gist: usize) -> DigestView<'_> {
    let units = if gist == usize::MAX { UNITS } else { UNITS / 3 };
    DigestView {
        obligations: digest.obligations,
        reported: digest.reported,
        open: digest.not_reported + digest.overdue,
        overdue: digest.overdue,
        returned: digest.returned,
        to_review: digest.to_review,
        units: digest
            .units
            .iter()
            .take(units)
            .map(|row| UnitView {
                unit: &row.unit,
                open: row.open,
                owners: shortened(&row.owners.join("、"), gist),
            })
            .collect(),
        more_units: digest.units.len().saturating_sub(units),
        unreachable: shortened(&digest.unreachable.join("、"), gist.min(200)),
        unreachable_count: digest.unreachable.len(),
        dead: digest.dead,
        held: digest.held,
    }
}

/// One line of at most `most` characters.
fn shortened(text: &str, most: usize) -> String {
    let whole = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if most == usize::MAX || whole.chars().count() <= most {
        return whole;
    }
    let mut cut: String = whole.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

fn short(day: NaiveDate) -> String {
    format!("{}月{}日", day.month(), day.day())
}

fn long(day: NaiveDate) -> String {
    format!(
        "{}月{}日（{}）",
        day.month(),
        day.day(),
        weekday_chinese(day)
    )
}
