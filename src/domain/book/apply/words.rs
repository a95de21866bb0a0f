//! What was said in the WeCom application, step by step.

use chrono::{DateTime, Utc};

use super::Inconsistent;
use crate::domain::book::Book;
use crate::domain::heard::{Answer, Heard, Meaning, Word};
use crate::domain::ids::Position;

impl Book {
    pub(super) fn hear(&mut self, here: Position, at: DateTime<Utc>, heard: &Heard) {
        self.heard.insert(heard.name.clone());
        let word = Word {
            at,
            heard: heard.clone(),
            settled: None,
            answer: None,
        };
        self.words.insert(here, word);
    }

    pub(super) fn settle_word(
        &mut self,
        here: Position,
        heard: Position,
        meaning: Meaning,
        answer: Option<&Answer>,
    ) -> Result<(), Inconsistent> {
        let word = self.word(here, heard)?;
        word.settled = Some(meaning);
        word.answer = answer.cloned();
        let account = word.heard.account.to_lowercase();
        if meaning == Meaning::Stranger {
            self.strangers.insert(account);
        }
        self.lay_by(heard);
        Ok(())
    }

    pub(super) fn word(
        &mut self,
        here: Position,
        heard: Position,
    ) -> Result<&mut Word, Inconsistent> {
        self.words
            .get_mut(&heard)
            .ok_or_else(|| Inconsistent::Unknown {
                position: here,
                what: format!("第{heard}号来信"),
            })
    }

    /// Lets go of what is done with.
    pub(super) fn lay_by(&mut self, heard: Position) {
        if self.words.get(&heard).is_some_and(Word::is_done) {
            self.words.remove(&heard);
        }
    }
}
