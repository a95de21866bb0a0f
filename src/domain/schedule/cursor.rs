//! A place in a text that only moves on.

/// What is left to read; a copy is a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    /// Length of the whole text.
    length: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            length: text.len(),
        }
    }

    /// Bytes read so far.
    pub(super) fn at(self) -> usize {
        self.length - self.rest.len()
    }

    pub(super) fn rest(self) -> &'a str {
        self.rest
    }

    #[inline]
    pub(super) fn peek(self) -> Option<char> {
        self.rest.chars().next()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let found = characters.next()?;
        self.rest = characters.as_str();
        Some(found)
    }

    /// Reads `word` if it comes next.
    #[inline]
    pub(super) fn eat(&mut self, word: &str) -> bool {
        // Nearly all words fail at their first character: no call for those.
        if let Some(first) = word.as_bytes().first_chunk::<3>()
            && self.rest.as_bytes().first_chunk() != Some(first)
        {
            return false;
        }
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Reads the first of `words` that comes next; list longer ones first.
    #[inline]
    pub(super) fn eat_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.eat(word))
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }
}
