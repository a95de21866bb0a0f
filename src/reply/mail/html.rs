//! HTML to the plain text its reader sees, quotes marked as in plain mails: what stands in an
//! element that a client quotes with gets `> ` before each line; a mark that says "from here on the
//! quote" becomes [`BREAK`]. Signatures of known classes go.

/// Stands in a line of its own where the client put a mark before the quote.
pub(super) const BREAK: &str = "\u{1}";

/// The text; nothing is nested deeper than it is followed.
pub(super) fn to_text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        page.text(text);
        rest = match tag(from) {
            Tag::None(after) => {
                page.text("<");
                after
            }
            Tag::Skip(after) => after,
            Tag::Open(name, attributes, after) => {
                page.open(&name, attributes);
                match name.as_str() {
                    "script" | "style" | "title" | "head" if !attributes.ends_with('/') => {
                        skip_to_end(after, &name)
                    }
                    _ => after,
                }
            }
            Tag::Close(name, after) => {
                page.close(&name);
                after
            }
        };
    }
    page.text(rest);
    page.finish()
}

enum Tag<'a> {
    /// A `<` that begins nothing.
    None(&'a str),
    /// A comment or declaration.
    Skip(&'a str),
    Open(String, &'a str, &'a str),
    Close(String, &'a str),
}

fn tag(from: &str) -> Tag<'_> {
    let inner = from.get(1..).unwrap_or_default();
    if let Some(comment) = inner.strip_prefix("!--") {
        let end = comment.find("-->");
        return Tag::Skip(end.and_then(|at| comment.get(at + 3..)).unwrap_or(""));
    }
    if inner.starts_with(['!', '?']) {
        return Tag::Skip(after(inner, '>'));
    }
    let closing = inner.starts_with('/');
    let body = inner.strip_prefix('/').unwrap_or(inner);
    if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Tag::None(inner);
    }
    let (body, rest) = match end_of_tag(body) {
        Some(at) => (
            body.get(..at).unwrap_or(""),
            body.get(at + 1..).unwrap_or(""),
        ),
        None => return Tag::None(inner),
    };
    let end = body
        .find(|c: char| c.is_whitespace() || c == '/')
        .unwrap_or(body.len());
    let (name, attributes) = body.split_at_checked(end).unwrap_or((body, ""));
    let name = name.to_ascii_lowercase();
    match closing {
        true => Tag::Close(name, rest),
        false => Tag::Open(name, attributes, rest),
    }
}

/// The `>` outside of quoted values; not far away, or it is no tag.
fn end_of_tag(body: &str) -> Option<usize> {
    const LONGEST: usize = 16 * 1024;
    let mut quote = None;
    for (at, c) in body.char_indices().take(LONGEST) {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    body.get(..body.len().min(LONGEST))
        .unwrap_or(body)
        .find('>')
}

fn after(text: &str, c: char) -> &str {
    text.split_once(c).map_or("", |(_, rest)| rest)
}

/// What follows `</name`; all is skipped where it never ends, except a head without its end.
fn skip_to_end<'a>(text: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")) {
        let inner = text.get(from + at + 2..).unwrap_or_default();
        let fits = inner
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        if fits {
            return after(inner, '>');
        }
        from += at + 2;
    }
    if name == "head" { text } else { "" }
}

#[derive(Default)]
struct Page {
    lines: String,
    line: String,
    /// Open elements that mean something: quotes, signatures, preformatted text.
    open: Vec<(String, Role)>,
    /// How many elements of each of those names are open inside it.
    inside: Vec<u32>,
    blank: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Quote,
    Signature,
    Pre,
}

impl Page {
    fn text(&mut self, text: &str) {
        if self.has(Role::Signature) {
            return;
        }
        let text = entities(text);
        let pre = self.has(Role::Pre);
        for c in text.chars() {
            match c {
                '\n' if pre => self.end_line(),
                ' ' | '\t' | '\r' | '\n' => self.blank = true,
                // A mark of ours must not come from outside.
                '\u{1}' => {}
                c => {
                    if self.blank && !self.line.is_empty() {
                        self.line.push(' ');
                    }
                    self.blank = false;
                    self.line.push(c);
                }
            }
        }
    }

    fn open(&mut self, name: &str, attributes: &str) {
        if is_block(name) {
            self.close_line();
        }
        match name {
            "br" => self.end_line(),
            "td" | "th" => self.blank = true,
            _ => {}
        }
        if let Some(depth) = self.inside.last_mut()
            && self.open.last().is_some_and(|(open, _)| open == name)
        {
            *depth = depth.saturating_add(1);
        }
        match meaning(name, attributes) {
            Some(Meaning::Break) => {
                self.close_line();
                self.line.push_str(BREAK);
                self.close_line();
            }
            Some(Meaning::Role(role)) if !is_void(name) => self.enter(name, role),
            _ if name == "pre" => self.enter(name, Role::Pre),
            _ => {}
        }
    }

    fn enter(&mut self, name: &str, role: Role) {
        const DEEPEST: usize = 50;
        if self.open.len() < DEEPEST {
            self.close_line();
            self.open.push((name.to_owned(), role));
            self.inside.push(0);
        }
    }

    fn close(&mut self, name: &str) {
        if is_block(name) {
            self.close_line();
        }
        if self.open.last().is_some_and(|(open, _)| open == name) {
            match self.inside.last_mut() {
                Some(depth) if *depth > 0 => *depth -= 1,
                _ => {
                    self.close_line();
                    self.open.pop();
                    self.inside.pop();
                }
            }
        }
    }

    fn has(&self, role: Role) -> bool {
        self.open.iter().any(|(_, open)| *open == role)
    }

    fn close_line(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.blank = false;
    }

    fn end_line(&mut self) {
        if self.has(Role::Quote) {
            self.lines.push_str("> ");
        }
        self.lines.push_str(self.line.trim_end());
        self.lines.push('\n');
        self.line.clear();
        self.blank = false;
    }

    fn finish(mut self) -> String {
        self.close_line();
        self.lines
    }
}

fn is_block(name: &str) -> bool {
    const NAMES: [&str; 27] = [
        "p",
        "div",
        "tr",
        "table",
        "tbody",
        "ul",
        "ol",
        "li",
        "blockquote",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "hr",
        "section",
        "article",
        "header",
        "footer",
        "dl",
        "dt",
        "dd",
        "center",
        "fieldset",
        "body",
    ];
    NAMES.contains(&name)
}

fn is_void(name: &str) -> bool {
    matches!(name, "hr" | "br" | "img" | "input" | "meta" | "link")
}

enum Meaning {
    Role(Role),
    Break,
}

/// What an element's names tell, by the tables of mail.md 4.7.
fn meaning(name: &str, attributes: &str) -> Option<Meaning> {
    const QUOTES: [&str; 18] = [
        "gmail_quote",
        "gmail_extra",
        "yahoo_quoted",
        "protonmail_quote",
        "zmail_extra",
        "ntes-mailmaster-quote",
        "isreplycontent",
        "reply139content",
        "origbody",
        "isforwardcontent",
        "mailcontent",
        "orimsghtmlseperator",
        "moz-cite",
        "quoted-mail",
        "mail-quote-collapse",
        "gmail_quote_container",
        "tutanota_quote",
        "spnavurlelement",
    ];
    const BREAKS: [&str; 5] = [
        "appendonsend",
        "divrplyfwdmsg",
        "replysplit",
        "mail-editor-reference-message-container",
        "stopspelling",
    ];
    const SIGNATURES: [&str; 6] = [
        "imail_signature",
        "ntes-signature",
        "gmail_signature",
        "moz-signature",
        "ms-outlook-mobile-signature",
        "protonmail_signature",
    ];
    if attributes.is_empty() {
        return None;
    }
    let low = attributes.to_ascii_lowercase();
    let words = [
        value(&low, "id"),
        value(&low, "class"),
        value(&low, "name"),
        value(&low, "title"),
    ];
    let has = |wanted: &[&str]| {
        let mut all = words
            .iter()
            .flatten()
            .flat_map(|words| words.split_whitespace());
        all.any(|word| wanted.contains(&word))
    };
    let cite = name == "blockquote" && value(&low, "type") == Some("cite");
    // The text before it, "… wrote:", is a line of its own and is known by its words.
    if cite || has(&QUOTES) || value(&low, "name") == Some("quote") {
        return Some(Meaning::Role(Role::Quote));
    }
    if has(&BREAKS) {
        return Some(Meaning::Break);
    }
    if has(&SIGNATURES) || has(&["neteasefooter"]) {
        return Some(Meaning::Role(Role::Signature));
    }
    None
}

/// The value of an attribute, in text of lower case.
fn value<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some(at) = rest.find(name) {
        let before = rest.get(..at)?.chars().next_back();
        let after = rest.get(at + name.len()..)?;
        rest = after;
        let stands_alone = before.is_none_or(|c| c.is_whitespace() || "\"'".contains(c));
        let Some(value) = after
            .trim_start()
            .strip_prefix('=')
            .filter(|_| stands_alone)
        else {
            continue;
        };
        let value = value.trim_start();
        return match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..)?.split(quote).next(),
            _ => value.split(|c: char| c.is_whitespace() || c == '/').next(),
        };
    }
    None
}

/// `&nbsp;` and its like; what is none stays as it is.
pub(super) fn entities(text: &str) -> String {
    const LONGEST: usize = 10;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        out.push_str(before);
        let end = from.char_indices().take(LONGEST).find(|(_, c)| *c == ';');
        let known = end.and_then(|(at, _)| Some((entity(from.get(..at)?)?, from.get(at + 1..)?)));
        rest = match known {
            Some((c, after)) => {
                out.push(c);
                after
            }
            None => {
                out.push('&');
                from
            }
        };
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    const NAMED: [(&str, char); 30] = [
        ("nbsp", ' '),
        ("lt", '<'),
        ("gt", '>'),
        ("amp", '&'),
        ("quot", '"'),
        ("apos", '\''),
        ("ensp", ' '),
        ("emsp", ' '),
        ("thinsp", ' '),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("mdash", '—'),
        ("ndash", '–'),
        ("hellip", '…'),
        ("middot", '·'),
        ("times", '×'),
        ("divide", '÷'),
        ("copy", '©'),
        ("yen", '¥'),
        ("bull", '•'),
        ("deg", '°'),
        ("permil", '‰'),
        ("laquo", '«'),
        ("raquo", '»'),
        ("le", '≤'),
        ("ge", '≥'),
        ("plusmn", '±'),
        ("sup2", '²'),
    ];
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return match char::from_u32(code)? {
            '\u{a0}' => Some(' '),
            c if c.is_control() && c != '\n' => None,
            c => Some(c),
        };
    }
    let (_, c) = NAMED.iter().find(|(known, _)| *known == name)?;
    Some(*c)
}
