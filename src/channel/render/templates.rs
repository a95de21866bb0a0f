//! The templates of all letters, and which of them a letter is made from.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::view::{View, item_count};
use super::{CardWords, RenderError, Rendered, Short, cut, plain, url};
use crate::domain::brief::{Brief, Letter};
use crate::domain::message::Occasion;

/// All templates, compiled. Clones share them.
#[derive(Clone)]
pub struct Templates {
    pub(super) environment: Arc<Environment<'static>>,
    /// Names of those from the office's folder.
    pub(super) own: Arc<Vec<String>>,
}

/// The files of a set.
pub(super) const PARTS: [&str; 9] = [
    "opening.txt",
    "subject.txt",
    "body.txt",
    "body.html",
    "wecom.md",
    "wecom.txt",
    "pack.md",
    "pack.txt",
    "card.txt",
];

/// None until the start has chosen.
static IN_FORCE: RwLock<Option<Templates>> = RwLock::new(None);

/// How templates are written; may lie among them.
pub(super) const GUIDE: &str = "说明.md";

/// A template set that every letter to an owner falls back on.
pub(super) const OWNER: &str = "owner";
/// Work a template may do for one letter: far above any of ours, far below a server's patience.
const FUEL: u64 = 2_000_000;

impl Templates {
    /// Those inside the program alone.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: OnceLock<Templates> = OnceLock::new();
        let made = || Self {
            environment: Arc::new(builtin()),
            own: Arc::default(),
        };
        BUILTIN.get_or_init(made).clone()
    }

    /// Those that all letters of this process are written with: one office, one voice.
    #[must_use]
    pub fn in_force() -> Self {
        let chosen = IN_FORCE.read().unwrap_or_else(PoisonError::into_inner);
        chosen.clone().unwrap_or_else(Self::builtin)
    }

    /// From now on all letters are written with these; `app` says so once, at the start.
    pub fn put_in_force(self) {
        *IN_FORCE.write().unwrap_or_else(PoisonError::into_inner) = Some(self);
    }

    /// Renders subject, text and HTML.
    ///
    /// # Errors
    /// [`RenderError`] names the template.
    pub fn letter(&self, brief: &Brief) -> Result<Rendered, RenderError> {
        let view = self.view_of(brief, item_count(brief), usize::MAX)?;
        let render = |part| self.render(brief, part, &view);
        Ok(Rendered {
            subject: one_line(&render("subject.txt")?),
            text: render("body.txt")?,
            html: render("body.html")?,
        })
    }

    /// Renders the subject alone.
    ///
    /// # Errors
    /// [`RenderError`] names the template.
    pub fn subject(&self, brief: &Brief) -> Result<String, RenderError> {
        let view = self.view_of(brief, 0, 0)?;
        Ok(one_line(&self.render(brief, "subject.txt", &view)?))
    }

    /// Renders a short message of at most `most` bytes: shortens the milestones first, then leaves
    /// whole items out and says how many.
    ///
    /// # Errors
    /// [`RenderError`] names the template.
    pub fn short(&self, brief: &Brief, form: Short, most: usize) -> Result<String, RenderError> {
        /// Characters of a milestone that still say what it is.
        const GIST: usize = 40;
        let part = form.template();
        let all = item_count(brief);
        let tries = std::iter::once((all, usize::MAX)).chain((0..=all).rev().map(|n| (n, GIST)));
        let mut text = String::new();
        for (shown, gist) in tries {
            text = self.render(brief, part, &self.view_of(brief, shown, gist)?)?;
            text.truncate(text.trim_end().len());
            if text.len() <= most {
                return Ok(text);
            }
        }
        Ok(cut(&text, most).to_owned())
    }

    /// The words on a card: its template's first line, the second, and the rest. `taps`: whether a
    /// button answers by itself.
    ///
    /// # Errors
    /// [`RenderError`] names the template.
    pub fn card(&self, brief: &Brief, taps: bool) -> Result<CardWords, RenderError> {
        let view = self.view_of(brief, item_count(brief), usize::MAX)?;
        let view = context! { taps, ..view };
        let words = self.render(brief, "card.txt", &view)?;
        let mut lines = words.lines().filter(|line| !line.trim().is_empty());
        let mut line = || lines.next().unwrap_or_default().trim().to_owned();
        Ok(CardWords {
            title: line(),
            desc: line(),
            text: lines.collect::<Vec<_>>().join("\n"),
        })
    }

    /// The files inside the program, for an office to begin with: how they are written, and all
    /// templates by name.
    pub fn to_begin_with() -> impl Iterator<Item = (&'static str, &'static str)> {
        std::iter::once((GUIDE, include_str!("../../../config/templates.md"))).chain(BUILTIN)
    }

    /// The office's own files, as `set/part`.
    #[must_use]
    pub fn own(&self) -> &[String] {
        &self.own
    }

    /// Which of the office's own files this letter is made with.
    #[must_use]
    pub fn own_for(&self, brief: &Brief) -> Vec<String> {
        let used = PARTS.iter().map(|part| self.find(brief, part));
        used.filter(|name| self.own.contains(name)).collect()
    }

    pub(super) fn view_of(
        &self,
        brief: &Brief,
        shown: usize,
        gist: usize,
    ) -> Result<Value, RenderError> {
        let view = Value::from(Serde(&View::new(brief, shown, gist)));
        let opening = self.render(brief, "opening.txt", &view)?;
        let opening = opening.trim().to_owned();
        Ok(context! { opening, packed => false, parts => "", taps => false, ..view })
    }

    pub(super) fn render(
        &self,
        brief: &Brief,
        part: &str,
        view: &Value,
    ) -> Result<String, RenderError> {
        let name = self.find(brief, part);
        self.environment
            .get_template(&name)
            .and_then(|template| template.render(view))
            .map_err(|source| RenderError {
                template: name,
                source,
            })
    }

    /// Whether any set of the letter has this part.
    pub(super) fn has(&self, brief: &Brief, part: &str) -> bool {
        let name = self.find(brief, part);
        self.environment.get_template(&name).is_ok()
    }

    /// The first set of the letter that has this part.
    pub(super) fn find(&self, brief: &Brief, part: &str) -> String {
        let sets = sets_of(brief);
        let mut names = sets.iter().map(|set| format!("{set}/{part}"));
        let there = |name: &String| self.environment.get_template(name).is_ok();
        names
            .find(there)
            .unwrap_or_else(|| format!("{}/{part}", sets.last().map_or(OWNER, String::as_str)))
    }
}

/// The sets a letter is made from: the one its stage names, its stage's own, and the common one.
fn sets_of(brief: &Brief) -> Vec<String> {
    let occasion = brief.message.key.occasion;
    let named = brief.wording.as_deref();
    let stage = match occasion {
        Occasion::Stage(stage) | Occasion::PutOff(stage, _) => Some(stage.as_str()),
        Occasion::Returned(_) => Some("returned"),
        Occasion::Entrusted(_) => Some("entrusted"),
        Occasion::Urge(_) => Some("urge"),
        Occasion::TakenOver(_) => Some("taken_over"),
        Occasion::Digest(_)
        | Occasion::Settled(_)
        | Occasion::HandedOver(_)
        | Occasion::Receipt(_)
        | Occasion::Decided(_)
        | Occasion::Test(_)
        | Occasion::Alarm(_) => None,
    };
    let own = named.into_iter().chain(stage);
    match brief.letter {
        Letter::Reminder => own.chain([OWNER]).map(str::to_owned).collect(),
        Letter::Copied => own
            .map(|set| format!("copied-{set}"))
            .chain(["copied".to_owned()])
            .collect(),
        Letter::Settled => vec!["settled".into()],
        Letter::Digest => vec!["digest".into()],
        Letter::Thanks => vec!["thanks".into()],
        Letter::Test => vec!["test".into()],
        Letter::Alarm => vec!["alarm".into()],
        Letter::Receipt => vec!["receipt".into()],
        Letter::Decided => vec!["decided".into()],
    }
}

/// A subject of two lines would end the mail's headers.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../templates/", $name)))),*]
    };
}

/// Every template inside the program, by name.
pub(super) const BUILTIN: [(&str, &str); 66] = templates![
    "notice/opening.txt",
    "escalation/opening.txt",
    "taken_over/opening.txt",
    "returned/opening.txt",
    "entrusted/opening.txt",
    "owner/opening.txt",
    "owner/subject.txt",
    "owner/body.txt",
    "owner/body.html",
    "owner/wecom.md",
    "owner/wecom.txt",
    "owner/pack.md",
    "owner/pack.txt",
    "owner/card.txt",
    "copied/opening.txt",
    "copied/subject.txt",
    "copied/body.txt",
    "copied/body.html",
    "copied/wecom.md",
    "copied/wecom.txt",
    "copied/pack.md",
    "copied/pack.txt",
    "settled/opening.txt",
    "settled/subject.txt",
    "settled/body.txt",
    "settled/body.html",
    "settled/wecom.md",
    "settled/wecom.txt",
    "settled/pack.md",
    "settled/pack.txt",
    "digest/opening.txt",
    "digest/subject.txt",
    "digest/body.txt",
    "digest/body.html",
    "digest/wecom.md",
    "digest/wecom.txt",
    "thanks/opening.txt",
    "thanks/subject.txt",
    "thanks/body.txt",
    "thanks/body.html",
    "thanks/wecom.md",
    "thanks/wecom.txt",
    "test/opening.txt",
    "test/subject.txt",
    "test/body.txt",
    "test/body.html",
    "test/wecom.md",
    "test/wecom.txt",
    "alarm/opening.txt",
    "alarm/subject.txt",
    "alarm/body.txt",
    "alarm/body.html",
    "alarm/wecom.md",
    "alarm/wecom.txt",
    "receipt/opening.txt",
    "receipt/subject.txt",
    "receipt/body.txt",
    "receipt/body.html",
    "receipt/wecom.md",
    "receipt/wecom.txt",
    "decided/opening.txt",
    "decided/subject.txt",
    "decided/body.txt",
    "decided/body.html",
    "decided/wecom.md",
    "decided/wecom.txt",
];

pub(super) fn builtin() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    // A line that holds only a block leaves no empty line behind.
    let mut syntax = SyntaxConfig::builder();
    match syntax.trim_blocks(true).lstrip_blocks(true).build() {
        Ok(syntax) => env.set_syntax(syntax),
        Err(error) => tracing::error!(error = %error, "templates keep their empty lines"),
    }
    env.set_auto_escape_callback(|name| match name.rsplit_once('.') {
        Some((_, "html")) => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    env.add_filter("plain", plain);
    env.add_filter("url", url);
    for (name, source) in BUILTIN {
        if let Err(error) = env.add_template(name, source) {
            // A test compiles them all; a template missing here is told when it is rendered.
            tracing::error!(template = name, error = %error, "a message template is broken");
        }
    }
    env
}
