//! The ladder of a case: which stages remind of a quarter, when, over which channels, who is told
//! beside the owners, and in whose words. Data, so that an office can set its own.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::calendar::Calendar;
use super::ids::Quarter;
use super::message::Stage;
use super::people::ChannelKind;

/// The stages of one case, in order of [`Stage::ALL`]; one that is switched off is not in it.
///
/// A case, a quarter of a plan, keeps the ladder it began with: it stands in the journal from its
/// first stage on, whatever the config says later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// The stages that are used.
    pub stages: Vec<StageRule>,
}

/// One stage's place in the quarter, and how it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRule {
    /// Which.
    pub stage: Stage,
    /// Working days from the deadline day; negative is before.
    pub working_days: i32,
    /// Time of day.
    pub time: NaiveTime,
    /// Who is told beside the owners.
    pub copied: Copied,
    /// Channels to try before those of the contact sheet; empty for the sheet's alone.
    pub channels: Vec<ChannelKind>,
    /// The templates of its words; none for those named as the stage.
    pub template: Option<String>,
}

/// Who is told beside the owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// 责任人 of the group.
    pub responsible: bool,
    /// 责任领导.
    pub leaders: bool,
    /// The office's coordinators.
    pub coordinators: bool,
}

impl Copied {
    /// Names in config and records, with what people read.
    pub const NAMES: [(&'static str, &'static str); 3] = [
        ("responsible", "责任人"),
        ("leader", "责任领导"),
        ("coordinator", "联络人"),
    ];

    /// Whether anyone is.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// The names of those who are, in order.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.pairs().map(|(name, _)| name).collect()
    }

    /// The same as people read it.
    #[must_use]
    pub fn chinese(self) -> Vec<&'static str> {
        self.pairs().map(|(_, chinese)| chinese).collect()
    }

    /// The reverse of [`Self::names`]; the first name that is none of them otherwise.
    ///
    /// # Errors
    /// That name.
    pub fn from_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut copied = Self::default();
        for name in names {
            match name {
                "responsible" => copied.responsible = true,
                "leader" => copied.leaders = true,
                "coordinator" => copied.coordinators = true,
                other => return Err(other),
            }
        }
        Ok(copied)
    }

    fn pairs(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let flags = [self.responsible, self.leaders, self.coordinators];
        let named = Self::NAMES.into_iter().zip(flags);
        named.filter(|(_, is)| *is).map(|(pair, _)| pair)
    }
}

impl Ladder {
    /// The rule of a stage; none where the stage is switched off.
    #[must_use]
    pub fn rule(&self, stage: Stage) -> Option<&StageRule> {
        self.stages.iter().find(|rule| rule.stage == stage)
    }

    /// The time of a stage of this quarter; none where the stage is switched off.
    #[must_use]
    pub fn time(
        &self,
        calendar: &Calendar,
        quarter: Quarter,
        stage: Stage,
    ) -> Option<DateTime<Utc>> {
        self.time_around(calendar, calendar.last_working_day(quarter), stage)
    }

    /// The same around a deadline on a day of its own.
    #[must_use]
    pub fn time_around(
        &self,
        calendar: &Calendar,
        deadline: NaiveDate,
        stage: Stage,
    ) -> Option<DateTime<Utc>> {
        let rule = self.rule(stage)?;
        let day = calendar.shift(deadline, rule.working_days);
        Some(calendar.instant(day, rule.time))
    }
}

impl Default for Ladder {
    fn default() -> Self {
        let nobody = Copied::default();
        let responsible = Copied {
            responsible: true,
            ..nobody
        };
        let all = Copied {
            responsible: true,
            leaders: true,
            coordinators: true,
        };
        let rule = |stage, working_days, copied| StageRule {
            stage,
            working_days,
            time: NaiveTime::from_hms_opt(9, 10, 0).unwrap_or_default(),
            copied,
            channels: Vec::new(),
            template: None,
        };
        Self {
            stages: vec![
                rule(Stage::Notice, -10, nobody),
                rule(Stage::Reminder, -3, nobody),
                rule(Stage::Due, 0, nobody),
                rule(Stage::Overdue, 1, responsible),
                rule(Stage::Escalation, 5, all),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_copied_has_names_both_ways() {
        let ladder = Ladder::default();
        let copied = |stage| ladder.rule(stage).unwrap().copied;
        assert!(!copied(Stage::Due).any());
        assert_eq!(copied(Stage::Overdue).chinese(), ["责任人"]);
        let all = copied(Stage::Escalation);
        assert_eq!(all.names(), ["responsible", "leader", "coordinator"]);
        assert_eq!(Copied::from_names(all.names().into_iter()), Ok(all));
        assert_eq!(Copied::from_names(["boss"].into_iter()), Err("boss"));
    }
}
